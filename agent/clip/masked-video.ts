import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError } from '../../common/errors.js';
import type { VideoInfo, VideoSource, VideoUnit } from '../../hal/video-source.js';
import { maskJpeg } from '../capture/jpeg.js';
import type { PrivacyMask } from '../capture/detect/masks.js';

export interface MaskedVideoDependencies {
  /** A video of JPEG files: what an encoder has compressed cannot be masked. */
  readonly video: VideoSource;
  /** The masks in force. */
  readonly masks: () => readonly PrivacyMask[];
  readonly clock: Clock;
  readonly counters: Counters;
}

/** A unit that is older when its turn comes is dropped: masking takes longer than this camera gives it. */
const AGE_MAX_MS = 500;

/** A video of pictures in which each is black under the masks before anybody else sees it. */
export class MaskedVideo implements VideoSource {
  private readonly deps: MaskedVideoDependencies;

  constructor(deps: MaskedVideoDependencies) {
    this.deps = deps;
  }

  open(signal: AbortSignal): Promise<VideoInfo> {
    return this.deps.video.open(signal);
  }

  async *units(signal: AbortSignal): AsyncGenerator<VideoUnit> {
    const { video, masks, clock, counters } = this.deps;
    for await (const unit of video.units(signal)) {
      const inForce = masks();
      if (inForce.length === 0) {
        yield unit;
        continue;
      }
      if (clock.monotonicMs() - unit.monotonicMs > AGE_MAX_MS) {
        counters.add('video.late');
        continue;
      }
      const bytes = await this.masked(unit.bytes, inForce);
      // Masked by masks that changed meanwhile.
      if (bytes !== null && inForce === masks()) yield { ...unit, bytes };
    }
  }

  /** A picture that cannot be decoded cannot be masked. */
  private async masked(jpeg: Uint8Array, masks: readonly PrivacyMask[]): Promise<Uint8Array | null> {
    try {
      return await maskJpeg(jpeg, masks);
    } catch (error) {
      this.deps.counters.add(`video.${asSealcamError(error).code}`);
      return null;
    }
  }
}
