import type { Frame } from '../camera.js';
import type { TrackListener } from '../h264/track.js';
import type { VideoInfo } from '../video-source.js';

/** What compresses the frames of a mock camera. Frames that it takes are units, in their order and with their times. */
export interface FrameEncoder {
  /** Adds a frame. It is lost where the encoder is too slow, and where it is damaged. */
  add(frame: Frame): void;
  /** No frame follows: the rest comes, then the fault `video-ended`. */
  end(): void;
  /** Ends it at once. */
  kill(): void;
}

export interface FrameEncoderOptions extends TrackListener, Pick<VideoInfo, 'width' | 'height' | 'framesPerSecond'> {}
