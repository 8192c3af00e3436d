import { SealcamError } from '../common/errors.js';
import { readJpegSize } from '../common/jpeg-size.js';
import type { FrameTap } from './frame-tap.js';
import { Thinner } from './thinner.js';
import { VideoFeed } from './video-feed.js';
import type { VideoInfo, VideoSource, VideoUnit } from './video-source.js';

/** A JPEG is as large as a second of H.264, so few of them make a video. */
const FRAMES_PER_SECOND_MAX = 4;

/** The video of every camera without an encoder: the frames that it gives anyway, thinned to four a second. */
export class JpegVideo implements VideoSource {
  private readonly camera: FrameTap;
  private readonly feed = new VideoFeed();

  constructor(camera: FrameTap) {
    this.camera = camera;
  }

  async open(signal: AbortSignal): Promise<VideoInfo> {
    const { width, height, framesPerSecond } = await this.camera.open(signal);
    const rate = Math.min(FRAMES_PER_SECOND_MAX, framesPerSecond);
    return { codec: 'jpeg', width, height, framesPerSecond: rate, keyIntervalMs: 1000 / rate };
  }

  async *units(signal: AbortSignal): AsyncGenerator<VideoUnit> {
    const thinner = new Thinner(FRAMES_PER_SECOND_MAX);
    const leave = this.camera.listen(
      ({ jpeg, monotonicMs }) => {
        if (readJpegSize(jpeg) === null || !thinner.keeps(monotonicMs)) return;
        this.feed.put({ bytes: jpeg, isKey: true, monotonicMs });
      },
      () => {
        this.feed.fail(new SealcamError('video-ended', 'the frames of the camera ended'));
      },
    );
    try {
      yield* this.feed.units(signal);
    } finally {
      leave();
    }
  }
}
