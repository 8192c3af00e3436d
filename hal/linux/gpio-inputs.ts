import type { Clock } from '../../common/clock.js';
import type { Log } from '../../common/log.js';
import { Listeners } from '../listeners.js';
import type { Button, LightSensor, MotionSensor, Unsubscribe } from '../peripherals.js';
import { GpioMonitor } from './gpio-monitor.js';
import type { GpioLine } from './gpio-tools.js';

export interface GpioInputOptions {
  readonly line: GpioLine;
  readonly clock: Clock;
  readonly log: Log;
}

const BUTTON_DEBOUNCE_MS = 30;
const MOTION_DEBOUNCE_MS = 20;
/** A passive infrared sensor holds its line for seconds, so more frequent edges carry no news. */
const MOTION_MIN_INTERVAL_MS = 1000;
/** The filter switches to and fro when dusk is at the threshold. */
const LIGHT_DEBOUNCE_MS = 500;

/** Adds a listener, and runs the monitor from the first listener to the last. */
function attach<A extends readonly unknown[]>(
  listeners: Listeners<A>,
  monitor: GpioMonitor,
  listener: (...args: A) => void,
): Unsubscribe {
  const leave = listeners.add(listener);
  monitor.start();
  return () => {
    leave();
    if (listeners.size === 0) monitor.stop();
  };
}

/** A button on a line that is active while it is pressed. */
export class GpioButton implements Button {
  private readonly listeners = new Listeners<[number]>();
  private readonly monitor: GpioMonitor;
  private pressedMs: number | null = null;

  constructor(options: GpioInputOptions) {
    this.monitor = new GpioMonitor({
      ...options,
      debounceMs: BUTTON_DEBOUNCE_MS,
      onLevel: ({ active, timeMs }, wasSeen) => {
        // A press without a seen start or end has no length: a stuck button must not reset the camera.
        if (active || !wasSeen) this.pressedMs = wasSeen ? timeMs : null;
        else if (this.pressedMs !== null) {
          const heldMs = Math.max(0, Math.round(timeMs - this.pressedMs));
          this.pressedMs = null;
          this.listeners.call(heldMs);
        }
      },
    });
  }

  onPress(listener: (heldMs: number) => void): Unsubscribe {
    return attach(this.listeners, this.monitor, listener);
  }
}

/** A motion sensor on a line that is active while it detects something. */
export class GpioMotionSensor implements MotionSensor {
  private readonly listeners = new Listeners<[number]>();
  private readonly monitor: GpioMonitor;
  private lastMs = Number.NEGATIVE_INFINITY;

  constructor(options: GpioInputOptions) {
    this.monitor = new GpioMonitor({
      ...options,
      debounceMs: MOTION_DEBOUNCE_MS,
      onLevel: ({ active }, wasSeen) => {
        const nowMs = options.clock.monotonicMs();
        if (!active || !wasSeen || nowMs - this.lastMs < MOTION_MIN_INTERVAL_MS) return;
        this.lastMs = nowMs;
        this.listeners.call(nowMs);
      },
    });
  }

  onMotion(listener: (monotonicMs: number) => void): Unsubscribe {
    return attach(this.listeners, this.monitor, listener);
  }
}

/** A light sensor on a line that is active by night: the driver of the infrared-cut filter, or a photo resistor. */
export class GpioLightSensor implements LightSensor {
  readonly lux = null;
  mode: 'day' | 'night' | 'unknown' = 'unknown';
  private readonly listeners = new Listeners<['day' | 'night', number]>();
  private readonly monitor: GpioMonitor;

  constructor(options: GpioInputOptions) {
    this.monitor = new GpioMonitor({
      ...options,
      debounceMs: LIGHT_DEBOUNCE_MS,
      onLevel: ({ active }) => {
        const before = this.mode;
        this.mode = active ? 'night' : 'day';
        if (before !== 'unknown' && before !== this.mode) this.listeners.call(this.mode, options.clock.monotonicMs());
      },
    });
  }

  onSwitch(listener: (mode: 'day' | 'night', monotonicMs: number) => void): Unsubscribe {
    return attach(this.listeners, this.monitor, listener);
  }
}
