import type { Camera } from './camera.js';
import type { KeyStore } from './key-store.js';
import type { Button, Indicator, LightSensor, MotionSensor, Watchdog } from './peripherals.js';
import type { System, SystemClock } from './system.js';
import type { VideoSource } from './video-source.js';

/** The hardware as the agent sees it; agent/main/drivers.ts chooses the drivers behind it. */
export interface Hal {
  readonly camera: Camera;
  /** The camera's video; null where the camera makes no clips. */
  readonly video: VideoSource | null;
  readonly motionSensor: MotionSensor;
  readonly button: Button;
  readonly indicator: Indicator;
  readonly light: LightSensor;
  readonly keyStore: KeyStore;
  readonly clock: SystemClock;
  readonly system: System;
  readonly watchdog: Watchdog;
}
