import { spawnSync } from 'node:child_process';

/** How x264 writes what a camera's encoder would: one slice a picture, a delimiter before it, its headers with each key unit. */
const X264_ARGS = [
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-tune',
  'zerolatency',
  '-threads',
  '1',
  '-x264-params',
  'sliced-threads=0:aud=1:repeat-headers=1',
];

export interface StreamOptions {
  readonly size?: string;
  readonly rate?: number;
  readonly seconds?: number;
  /** Pictures from one key unit to the next. */
  readonly gop?: number;
  readonly args?: readonly string[];
}

/** Returns what ffmpeg needs to read a test picture of this size and length. */
export function testPicture({ size = '320x180', rate = 10, seconds = 3 }: StreamOptions): readonly string[] {
  return ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${String(rate)}:duration=${String(seconds)}`];
}

/** Finds the real ffmpeg, also while a stand-in hides it. */
const { PATH: firstPath } = process.env;

/** Runs ffmpeg. @throws an error with its stderr */
export function ffmpeg(args: readonly string[], input?: Uint8Array): Uint8Array {
  const { status, stdout, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-y', ...args], {
    env: { ...process.env, PATH: firstPath },
    ...(input === undefined ? {} : { input }),
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`ffmpeg: ${String(stderr)}`);
  return new Uint8Array(stdout);
}

/** Returns a stream of H.264 in Annex B. */
export function h264Stream(options: StreamOptions = {}): Uint8Array {
  const { gop = 10, args = [] } = options;
  return ffmpeg([...testPicture(options), ...X264_ARGS, '-g', String(gop), ...args, '-f', 'h264', 'pipe:1']);
}

/** Returns JPEG pictures as a stream of H.264 in Annex B, with a key unit every two seconds. */
export function encodeH264(jpegs: Uint8Array, rate: number): Uint8Array {
  const input = ['-f', 'image2pipe', '-c:v', 'mjpeg', '-framerate', String(rate), '-i', 'pipe:0'];
  const form = ['-pix_fmt', 'yuv420p', '-g', String(2 * rate), '-f', 'h264', 'pipe:1'];
  return ffmpeg([...input, ...X264_ARGS, ...form], jpegs);
}
