/** Stops listening. */
export type Unsubscribe = () => void;

/** A passive infrared sensor or similar: something warm moved. It is only a hint; the picture decides. */
export interface MotionSensor {
  onMotion(listener: (monotonicMs: number) => void): Unsubscribe;
}

/** A short press opens the claim window; held for ten seconds it resets the camera. */
export interface Button {
  onPress(listener: (heldMs: number) => void): Unsubscribe;
}

export type IndicatorState = 'off' | 'recording' | 'claim-window' | 'privacy' | 'fault' | 'looking';

export interface Indicator {
  /** Whether there is a light that a person can see. */
  readonly isPresent: boolean;
  show(state: IndicatorState): void;
  /** Resolves when what was shown last is to be seen: false where it could not be switched. */
  isShown(): Promise<boolean>;
  /** Turns it off, and frees what the driver holds. */
  close(): Promise<void>;
}

/** Ambient light and the infrared-cut filter. The hardware knows when the filter switched; the picture only suggests it. */
export interface LightSensor {
  /** Lux, or null where there is no sensor. */
  readonly lux: number | null;
  readonly mode: 'day' | 'night' | 'unknown';
  onSwitch(listener: (mode: 'day' | 'night', monotonicMs: number) => void): Unsubscribe;
}

/** A tty: the debug console's end of a serial cable, or the terminal in which a mock camera runs. */
export interface SerialLine {
  readonly name: string;
  onData(listener: (data: Uint8Array) => void): Unsubscribe;
  onClose(listener: () => void): Unsubscribe;
  write(data: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** The values of the setting `watchdog.driver`; agent/main/drivers.ts has a factory for each. */
export const WATCHDOG_DRIVERS = ['none', 'systemd', 'device'] as const;
export type WatchdogDriver = (typeof WATCHDOG_DRIVERS)[number];

/** Restarts the device when `alive` is not called for too long. */
export interface Watchdog {
  /** Longest time between two calls of `alive`, in milliseconds; null where nothing watches. */
  readonly intervalMs: number | null;
  /** Everything is up: the watchdog starts. */
  ready(): void;
  /** Reports that the agent still works. */
  alive(): void;
  /** The agent stops on purpose, so nothing must be restarted. May be called twice. */
  close(): Promise<void>;
}
