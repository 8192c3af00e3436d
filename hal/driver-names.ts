/** Names by which a configuration picks drivers and what the mock shows. */
export const CAMERA_DRIVERS = ['mock', 'replay', 'libcamera', 'v4l2'] as const;
export const WATCHDOG_DRIVERS = ['none', 'systemd', 'device'] as const;
export const SCENES = ['porch', 'garden', 'driveway'] as const;
export const SCENARIOS = ['walk', 'quiet', 'night', 'rain', 'lamp', 'stall', 'clock-jump', 'corrupt'] as const;
export type SceneName = (typeof SCENES)[number];
export type Scenario = (typeof SCENARIOS)[number];
