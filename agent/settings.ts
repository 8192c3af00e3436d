import type { Zone } from '../protocol/objects/command.js';
import type { CaptureSettings } from './capture/capture.js';
import type { MotionZone } from './capture/zones.js';
import type { Config } from './config/keys.js';
import type { StandingOrders } from './ownership/owner-orders.js';
import type { RecorderSettings } from './record/recorder.js';

const NO_ORDERS: Pick<StandingOrders, 'zones' | 'sensitivity'> = { zones: null, sensitivity: null };

/** What the owner ordered stands before what the configuration says. */
export function captureSettings(config: Config, orders = NO_ORDERS): CaptureSettings {
  return {
    lumaWidth: config['motion.width'],
    detector: {
      sensitivity: orders.sensitivity ?? config['motion.sensitivity'],
      zones: orders.zones?.map(motionZone) ?? config['motion.zones'],
      minDurationMs: config['motion.minDuration'],
    },
    events: {
      holdMs: config['motion.hold'],
      cooldownMs: config['motion.cooldown'],
      maxDurationMs: config['motion.maxDuration'],
    },
  };
}

/** From 1/65535 of the picture to fractions of it. */
function motionZone({ name, corners }: Zone): MotionZone {
  return { name, corners: corners.map(([x, y]) => [x / 65_535, y / 65_535]) };
}

export function recorderSettings(config: Config): RecorderSettings {
  return {
    thumbnail: {
      ...{ width: config['thumbnail.width'], quality: config['thumbnail.quality'] },
      ...{ maxBytes: config['thumbnail.maxBytes'], crop: config['thumbnail.crop'] },
    },
  };
}
