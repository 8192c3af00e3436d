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

/** A motion sensor that a test triggers. */
export class MockMotionSensor implements MotionSensor {
  private readonly listeners = new Listeners<[number]>();

  onMotion(listener: (monotonicMs: number) => void): Unsubscribe {
    return this.listeners.add(listener);
  }

  /** Reports motion at this time. */
  trigger(monotonicMs: number): void {
    this.listeners.call(monotonicMs);
  }
}

/** A button that a test or a terminal presses. */
export class MockButton implements Button {
  private readonly listeners = new Listeners<[number]>();

  onPress(listener: (heldMs: number) => void): Unsubscribe {
    return this.listeners.add(listener);
  }

  /** Presses the button for `heldMs`. */
  press(heldMs = 200): void {
    this.listeners.call(heldMs);
  }
}

/** An indicator that keeps the states it showed. */
export class MockIndicator implements Indicator {
  readonly shown: IndicatorState[] = [];
  readonly isPresent: boolean;

  constructor(isPresent = false) {
    this.isPresent = isPresent;
  }

  show(state: IndicatorState): void {
    if (this.shown.at(-1) !== state) this.shown.push(state);
    // Only the newest states are kept, so that a long run does not fill the memory.
    if (this.shown.length > 100) this.shown.shift();
  }

  isShown(): Promise<boolean> {
    return Promise.resolve(true);
  }

  close(): Promise<void> {
    this.show('off');
    return Promise.resolve();
  }
}

/** A light sensor that a test switches. */
export class MockLightSensor implements LightSensor {
  lux: number | null = 400;
  mode: 'day' | 'night' | 'unknown' = 'day';
  private readonly listeners = new Listeners<['day' | 'night', number]>();

  onSwitch(listener: (mode: 'day' | 'night', monotonicMs: number) => void): Unsubscribe {
    return this.listeners.add(listener);
  }

  /** Switches the infrared-cut filter. */
  switchTo(mode: 'day' | 'night', monotonicMs: number): void {
    this.mode = mode;
    this.lux = mode === 'day' ? 400 : 1;
    this.listeners.call(mode, monotonicMs);
  }
}

/** One end of a cable in memory. */
export class MockSerialLine implements SerialLine {
  readonly name: string;
  private peer: MockSerialLine | null = null;
  private readonly data = new Listeners<[Uint8Array]>();
  private readonly closed = new Listeners<[]>();

  constructor(name: string) {
    this.name = name;
  }

  /** Makes both ends of a cable. */
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

/** A watchdog that counts. */
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
