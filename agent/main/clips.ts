import type { VideoSource } from '../../hal/video-source.js';
import { Clips, type ClipsDependencies, type Forbidden } from '../clip/clips.js';
import { MaskedVideo } from '../clip/masked-video.js';
import type { Config } from '../config/keys.js';

export interface ClipsParts extends Omit<ClipsDependencies, 'video' | 'limits'> {
  readonly config: () => Config;
  /** Null where the camera makes no clips. */
  readonly video: VideoSource | null;
  readonly isPrivate: () => boolean;
}

/** Makes what films the events of a camera; null where `clip.codec` is off. */
export function clipsOf({ config, video, isPrivate, forbidden, ...parts }: ClipsParts): Clips | null {
  if (video === null) return null;
  const settings = config();
  const isEncoded = settings['clip.codec'] === 'h264';
  const { clock, counters } = parts;
  const masks = (): Config['privacy.masks'] => config()['privacy.masks'];
  return new Clips({
    ...parts,
    video: isEncoded ? video : new MaskedVideo({ video, masks, clock, counters }),
    limits: { prerollMs: settings['clip.prerollSeconds'] * 1000, maxBytes: settings['clip.ringBytes'] },
    forbidden: (monotonicMs): Forbidden | null => {
      if (isEncoded && masks().length > 0 && !isPrivate()) return 'masked';
      return forbidden(monotonicMs);
    },
  });
}
