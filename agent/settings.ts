import type { CaptureSettings } from './capture/capture.js';
import type { Config } from './config/keys.js';
import type { RecorderSettings } from './record/recorder.js';

export function captureSettings(config: Config): CaptureSettings {
  return {
    lumaWidth: config['motion.width'],
    detector: {
      sensitivity: config['motion.sensitivity'],
      zones: config['motion.zones'],
      minDurationMs: config['motion.minDuration'],
    },
    events: {
      holdMs: config['motion.hold'],
      cooldownMs: config['motion.cooldown'],
      maxDurationMs: config['motion.maxDuration'],
    },
  };
}

export function recorderSettings(config: Config): RecorderSettings {
  return { thumbnail: { width: config['thumbnail.width'], quality: config['thumbnail.quality'] } };
}
