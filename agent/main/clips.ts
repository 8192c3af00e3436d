import type { VideoSource } from '../../hal/video-source.js';
import { Clips, type ClipsDependencies, type Forbidden } from '../clip/clips.js';
import { MaskedVideo } from '../clip/masked-video.js';
import type { Schedule } from '../capture/schedule.js';
import type { Config } from '../config/keys.js';
import { captureSettings } from './settings.js';

export interface ClipsParts extends Omit<ClipsDependencies, 'video' | 'limits' | 'forbidden'> {
  readonly config: () => Config;
  /** Null where the camera makes no clips. */
  readonly video: VideoSource | null;
  readonly isPrivate: () => boolean;
}

/** Makes what films the events of a camera; null where `clip.codec` is off. */
export function clipsOf({ config, video, isPrivate, ...parts }: ClipsParts): Clips | null {
  if (video === null) return null;
  const settings = config();
  const isEncoded = settings['clip.codec'] === 'h264';
  const { clock, counters } = parts;
  const masks = (): Config['privacy.masks'] => config()['privacy.masks'];
  const scheduleNow = scheduleOf(config);
  return new Clips({
    ...parts,
    video: isEncoded ? video : new MaskedVideo({ video, masks, clock, counters }),
    limits: { prerollMs: settings['clip.prerollSeconds'] * 1000, maxBytes: settings['clip.ringBytes'] },
    forbidden: (monotonicMs): Forbidden | null => {
      if (isPrivate()) return 'privacy';
      if (isEncoded && masks().length > 0) return 'masked';
      const { wallMs } = parts.timeOf(monotonicMs);
      // As for events: while the clock was never set, no schedule applies.
      return wallMs === null || scheduleNow()?.includes(wallMs) !== false ? null : 'off-schedule';
    },
  });
}

/** Returns the schedule in force: one for each configuration, since it keeps what it computed. */
function scheduleOf(config: () => Config): () => Schedule | undefined {
  let of: Config | null = null;
  let schedule: Schedule | undefined;
  return () => {
    const now = config();
    if (now !== of) ({ schedule } = captureSettings(now));
    of = now;
    return schedule;
  };
}
