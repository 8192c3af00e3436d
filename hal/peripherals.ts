/** Stops listening. */
export type Unsubscribe = () => void;

/** A passive infrared sensor or the like: something warm moved. It only hints; the picture decides. */
export interface MotionSensor {
  onMotion(listener: (monotonicMs: number) => void): Unsubscribe;
}

/** Opens the claim window when pressed shortly, resets when held for ten seconds. */
export interface Button {
  onPress(listener: (heldMs: number) => void): Unsubscribe;
}

export type IndicatorState = 'off' | 'recording' | 'claim-window' | 'privacy' | 'fault';

export interface Indicator {
  show(state: IndicatorState): void;
  /** Dark, and whatever it holds is freed. */
  close(): Promise<void>;
}

/** Ambient light and the infrared-cut filter: the hardware knows when it switched, the picture only guesses. */
export interface LightSensor {
  /** Lux, or null where there is no sensor. */
  readonly lux: number | null;
  readonly mode: 'day' | 'night' | 'unknown';
  onSwitch(listener: (mode: 'day' | 'night', monotonicMs: number) => void): Unsubscribe;
}

/** A tty: the debug console's end of a serial cable, or the terminal of whoever runs the mock. */
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

/** Restarts the device if nobody says for too long that all is well. */
export interface Watchdog {
  /** How often it wants to hear, in milliseconds; null where there is none. */
  readonly intervalMs: number | null;
  /** Everything is up; from here on it watches. */
  ready(): void;
  alive(): void;
  /** The stop is on purpose: it must not restart anything. Calling it twice is allowed. */
  close(): Promise<void>;
}
