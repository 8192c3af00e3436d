import type {
  Button,
  Indicator,
  IndicatorState,
  LightSensor,
  MotionSensor,
  SerialLine,
  Unsubscribe,
  Watchdog,
} from '../peripherals.js';
import { Listeners } from '../listeners.js';

export class MockMotionSensor implements MotionSensor {
  private readonly listeners = new Listeners<[number]>();

  onMotion(listener: (monotonicMs: number) => void): Unsubscribe {
    return this.listeners.add(listener);
  }

  /** Something warm moves. */
  trigger(monotonicMs: number): void {
    this.listeners.call(monotonicMs);
  }
}

export class MockButton implements Button {
  private readonly listeners = new Listeners<[number]>();

  onPress(listener: (heldMs: number) => void): Unsubscribe {
    return this.listeners.add(listener);
  }

  /** Somebody presses it and lets go after `heldMs`. */
  press(heldMs = 200): void {
    this.listeners.call(heldMs);
  }
}

export class MockIndicator implements Indicator {
  readonly shown: IndicatorState[] = [];

  show(state: IndicatorState): void {
    if (this.shown.at(-1) !== state) this.shown.push(state);
    // What a person standing there would have seen lately is enough.
    if (this.shown.length > 100) this.shown.shift();
  }

  close(): Promise<void> {
    this.show('off');
    return Promise.resolve();
  }
}

export class MockLightSensor implements LightSensor {
  lux: number | null = 400;
  mode: 'day' | 'night' | 'unknown' = 'day';
  private readonly listeners = new Listeners<['day' | 'night', number]>();

  onSwitch(listener: (mode: 'day' | 'night', monotonicMs: number) => void): Unsubscribe {
    return this.listeners.add(listener);
  }

  /** The infrared-cut filter moves. */
  switchTo(mode: 'day' | 'night', monotonicMs: number): void {
    this.mode = mode;
    this.lux = mode === 'day' ? 400 : 1;
    this.listeners.call(mode, monotonicMs);
  }
}

/** Two ends of a cable in memory. */
export class MockSerialLine implements SerialLine {
  readonly name: string;
  private peer: MockSerialLine | null = null;
  private readonly data = new Listeners<[Uint8Array]>();
  private readonly closed = new Listeners<[]>();

  constructor(name: string) {
    this.name = name;
  }

  static pair(): readonly [MockSerialLine, MockSerialLine] {
    const a = new MockSerialLine('mock a');
    const b = new MockSerialLine('mock b');
    a.peer = b;
    b.peer = a;
    return [a, b];
  }

  onData(listener: (data: Uint8Array) => void): Unsubscribe {
    return this.data.add(listener);
  }

  onClose(listener: () => void): Unsubscribe {
    return this.closed.add(listener);
  }

  write(data: Uint8Array): Promise<void> {
    const copy = data.slice();
    queueMicrotask(() => this.peer?.data.call(copy));
    return Promise.resolve();
  }

  close(): Promise<void> {
    const { peer } = this;
    this.peer = null;
    if (peer !== null) {
      peer.peer = null;
      this.closed.call();
      peer.closed.call();
    }
    return Promise.resolve();
  }
}

export class MockWatchdog implements Watchdog {
  readonly intervalMs = 10_000;
  kicks = 0;
  state: 'silent' | 'watching' | 'closed' = 'silent';

  ready(): void {
    this.state = 'watching';
  }

  alive(): void {
    if (this.state === 'watching') this.kicks++;
  }

  close(): Promise<void> {
    this.state = 'closed';
    return Promise.resolve();
  }
}
