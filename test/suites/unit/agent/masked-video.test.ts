import { describe, expect, it } from 'vitest';
import { MaskedVideo } from '../../../../agent/clip/masked-video.js';
import type { PrivacyMask } from '../../../../agent/capture/detect/masks.js';
import { Counters } from '../../../../common/counters.js';
import type { VideoSource, VideoUnit } from '../../../../hal/video-source.js';
import { brightest, LEFT, striped } from '../../../support/pictures.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

class Trial {
  readonly clock = new VirtualClock(5000);
  readonly counters = new Counters();
  masks: readonly PrivacyMask[] = [LEFT];
  ended = false;

  async units(...given: readonly VideoUnit[]): Promise<VideoUnit[]> {
    const video: VideoSource = {
      open: () => Promise.reject(new Error('not asked')),
      units: async function* () {
        yield* given;
        await Promise.resolve();
      },
    };
    const masked = new MaskedVideo({ video, masks: () => this.masks, clock: this.clock, counters: this.counters });
    const out: VideoUnit[] = [];
    for await (const unit of masked.units(new AbortController().signal)) out.push(unit);
    return out;
  }
}

const unit = (bytes: Uint8Array, monotonicMs = 5000): VideoUnit => ({ bytes, isKey: true, monotonicMs });

describe('a video of masked pictures', () => {
  it('shows nothing of what is under the masks, in its full size, an odd one too', async () => {
    const jpeg = await striped();
    const [masked] = await new Trial().units(unit(jpeg));
    const [left, right, size] = await brightest(masked?.bytes ?? new Uint8Array(0));
    expect(left).toBeLessThan(16);
    expect(right).toBeGreaterThan(240);
    expect([size, masked?.isKey, masked?.monotonicMs]).toEqual(['160x91', true, 5000]);
    // The control: without masks it is the picture that came.
    const trial = new Trial();
    trial.masks = [];
    const [plain] = await trial.units(unit(jpeg));
    expect(plain?.bytes).toBe(jpeg);
    expect((await brightest(jpeg))[0]).toBeGreaterThan(240);
  });

  it('drops what cannot be masked, and what is late, and counts both', async () => {
    const trial = new Trial();
    const jpeg = await striped();
    expect(await trial.units(unit(jpeg.subarray(0, 300)), unit(jpeg, 4000), unit(jpeg))).toHaveLength(1);
    expect(trial.counters.snapshot()).toEqual({ 'video.frame-corrupt': 1, 'video.late': 1 });
  });
});
