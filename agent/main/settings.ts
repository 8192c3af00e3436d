import { utf8 } from '../../common/bytes.js';
import type { Zone } from '../../protocol/objects/command.js';
import type { InForce } from '../../protocol/seal/in-force.js';
import type { CaptureSettings } from '../capture/capture.js';
import { Schedule } from '../capture/schedule.js';
import type { MotionZone } from '../capture/detect/zones.js';
import type { Config } from '../config/keys.js';
import type { StandingOrders } from '../ownership/standing-orders.js';
import type { RecorderSettings } from '../record/recorder.js';

const NO_ORDERS: Pick<StandingOrders, 'zones' | 'sensitivity'> = { zones: null, sensitivity: null };

/** Returns the settings of capture. The owner's orders override the configuration. */
export function captureSettings(config: Config, orders = NO_ORDERS): CaptureSettings {
  const windows = config['motion.schedule'];
  return {
    lumaWidth: config['motion.width'],
    idleFramesPerSecond: config['motion.idleFramesPerSecond'],
    detector: {
      sensitivity: orders.sensitivity ?? config['motion.sensitivity'],
      zones: orders.zones?.map(motionZone) ?? config['motion.zones'],
      masks: config['privacy.masks'],
      minDurationMs: config['motion.minDuration'],
    },
    events: {
      holdMs: config['motion.hold'],
      cooldownMs: config['motion.cooldown'],
      maxDurationMs: config['motion.maxDuration'],
    },
    ...(windows.length === 0 ? {} : { schedule: new Schedule(windows, config['camera.timeZone']) }),
  };
}

/** Converts corners from 1/65535 of the picture to fractions. */
function motionZone({ name, corners }: Zone): MotionZone {
  return { name, corners: corners.map(([x, y]) => [x / 65_535, y / 65_535]) };
}

/**
 * Returns what is in force: the owner's orders, else the configuration. Private times are left out: this camera does not follow
 * any.
 */
export function inForceOf(config: Config, { zones, sensitivity, changes }: StandingOrders): InForce {
  return {
    zones: [zones ?? config['motion.zones'].map(orderedZone), changes.zones],
    sensitivity: [sensitivity ?? config['motion.sensitivity'], changes.sensitivity],
    masks: [config['privacy.masks'].map(orderedZone), null],
  };
}

/** Reverses {@link motionZone}. */
function orderedZone({ name, corners }: Pick<MotionZone, 'name' | 'corners'>): Zone {
  const scaled = (fraction: number): number => Math.round(fraction * 65_535);
  return { name: protocolName(name), corners: corners.map(([x, y]) => [scaled(x), scaled(y)]) };
}

/** Returns a name of the configuration as the protocol has it: at most 32 bytes, none of them a control character. */
function protocolName(name: string): string {
  let out = '';
  for (const letter of name.replace(/\ufeff|\p{Cc}/gu, '')) {
    if (utf8(out + letter).length > 32) break;
    out += letter;
  }
  return out;
}

/** Returns the settings of the recorder. */
export function recorderSettings(config: Config): RecorderSettings {
  return {
    thumbnail: {
      width: config['thumbnail.width'],
      quality: config['thumbnail.quality'],
      maxBytes: config['thumbnail.maxBytes'],
      crop: config['thumbnail.crop'],
      mini: config['thumbnail.mini'],
      masks: config['privacy.masks'],
    },
    maxEventsPerHour: config['motion.maxPerHour'],
  };
}
