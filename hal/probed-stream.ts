import { SealcamError } from '../common/errors.js';
import type { VideoInfo } from './video-source.js';

/** What ffprobe tells of a video stream. */
export interface ProbedStream {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  readonly hasBFrames: boolean;
}

/** Arguments that make ffprobe write what {@link parseProbed} reads; the input follows. */
export const PROBE_ARGS = [
  '-v',
  'error',
  '-select_streams',
  'v:0',
  '-show_entries',
  'stream=codec_name,width,height,avg_frame_rate,r_frame_rate,has_b_frames',
  '-of',
  'json',
] as const;
const RATE_MAX = 240;

/** Parses the output of ffprobe; null where there is no video in it. */
export function parseProbed(json: string): ProbedStream | null {
  const parsed = JSON.parse(json) as { streams?: readonly Readonly<Record<string, unknown>>[] };
  const stream = parsed.streams?.[0] ?? {};
  const [width, height] = [Number(stream['width']), Number(stream['height'])];
  if (!(width > 0 && height > 0)) return null;
  const rates = [stream['avg_frame_rate'], stream['r_frame_rate']].map((text) => {
    const [frames = 0, seconds = 0] = String(text).split('/').map(Number);
    return frames / seconds;
  });
  return {
    codec: String(stream['codec_name']),
    width,
    height,
    framesPerSecond: rates.find((rate) => rate > 0 && rate <= RATE_MAX) ?? 0,
    hasBFrames: Number(stream['has_b_frames']) > 0,
  };
}

/** Returns the video that a copy of the stream is, or why browsers would not play it. */
export function copiedVideo({
  codec,
  width,
  height,
  framesPerSecond,
  hasBFrames,
}: ProbedStream): VideoInfo | SealcamError {
  if (codec !== 'h264') {
    return new SealcamError('video-unsupported', `the video is ${codec}, which not every browser plays`, {
      hint: 'Set the camera to H.264, or convert the file (ffmpeg -i FILE -c:v libx264 -bf 0), or set clip.codec to jpeg.',
    });
  }
  return hasBFrames ? bFrames() : { codec, width, height, framesPerSecond, keyIntervalMs: null };
}

/** Makes the error for pictures that are not shown in the order in which they are decoded. */
export function bFrames(): SealcamError {
  return new SealcamError('video-unsupported', 'H.264 with B-frames', {
    hint: 'Switch B-frames off in the encoder (profile baseline; ffmpeg -bf 0), or set clip.codec to jpeg.',
  });
}
