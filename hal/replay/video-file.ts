import { SealcamError } from '../../common/errors.js';
import { jpegSize } from '../image.js';
import { collectText, runTool, startFfmpeg } from './ffmpeg.js';
import { FramePipes, type PipedFrame } from './frame-pipes.js';

const LUMA_WIDTH_MAX_PIXELS = 160;
const JPEG_QSCALE = '3';
/** Errors of ffmpeg for a file that is cut off; its exit status is 0 nevertheless. */
const TRUNCATED = /partial file|truncat|Packet corrupt|Invalid NAL|error reading|moov atom not found|EOF/i;

export interface VideoInfo {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  /** From the container; null where it does not state it. */
  readonly frameCount: number | null;
  readonly firstFrame: Uint8Array;
  /** Whether its pixels are square; those of others are widened or narrowed, as a player does. */
  readonly hasSquarePixels: boolean;
}

/** In `scale`, `sar` is the shape of a pixel after rotation. Even, because compressed colour is halved. */
const SQUARE_PIXELS = ['-vf', 'scale=trunc(iw*sar/2)*2:ih,setsar=1'];

/** Names the input so that a path that starts with a dash, or looks like a URL, stays a path. */
export function inputArgs(path: string): string[] {
  return ['-i', `file:${path}`];
}

/** Reads size, rate and first frame of a video. @throws SealcamError `video-unreadable`, `ffmpeg-missing` */
export async function probeVideo(path: string, signal: AbortSignal): Promise<VideoInfo> {
  const entries = 'stream=avg_frame_rate,nb_frames,sample_aspect_ratio';
  const probe = await runTool(
    'ffprobe',
    ['-v', 'error', '-select_streams', 'v:0', '-show_entries', entries, '-of', 'json', ...inputArgs(path)],
    signal,
  );
  const stream = probe.code === 0 ? parseStream(probe.stdout) : undefined;
  if (stream === undefined) throw unreadable(path, probe.stderr);
  const first = await runTool(
    'ffmpeg',
    [
      '-v',
      'error',
      ...inputArgs(path),
      '-map',
      '0:v:0',
      '-frames:v',
      '1',
      ...(stream.hasSquarePixels ? [] : SQUARE_PIXELS),
      '-f',
      'image2pipe',
      '-c:v',
      'mjpeg',
      '-q:v',
      JPEG_QSCALE,
      'pipe:1',
    ],
    signal,
  );
  if (first.stdout.length === 0) throw unreadable(path, first.stderr);
  // The decoded frame has the size after rotation and with square pixels; the numbers of the container may not.
  const { width, height } = jpegSize(first.stdout);
  return { width, height, firstFrame: first.stdout, ...stream };
}

export function unreadable(path: string, stderr: string): SealcamError {
  const reason = stderr.split('\n').at(-1) ?? '';
  return new SealcamError('video-unreadable', `${path}: ${reason === '' ? 'no video in it' : reason}`);
}

function parseStream(
  json: Uint8Array,
): Pick<VideoInfo, 'framesPerSecond' | 'frameCount' | 'hasSquarePixels'> | undefined {
  const parsed: unknown = JSON.parse(new TextDecoder().decode(json));
  const streams = (
    parsed as { streams?: { avg_frame_rate?: string; nb_frames?: string; sample_aspect_ratio?: string }[] }
  ).streams;
  const stream = streams?.[0];
  if (stream === undefined) return undefined;
  const [numerator = 0, denominator = 0] = (stream.avg_frame_rate ?? '').split('/').map(Number);
  const framesPerSecond = denominator > 0 && numerator > 0 ? numerator / denominator : 10;
  const count = Number(stream.nb_frames);
  const [wide = 0, high = 0] = (stream.sample_aspect_ratio ?? '').split(':').map(Number);
  return {
    framesPerSecond,
    frameCount: Number.isInteger(count) && count > 0 ? count : null,
    // 0:1 and a missing one are unknown.
    hasSquarePixels: !(wide > 0 && high > 0) || wide === high,
  };
}

export interface LumaSize {
  readonly width: number;
  readonly height: number;
}

/** Returns the size of the luma planes of a video. */
export function lumaSize(info: Pick<VideoInfo, 'width' | 'height'>): LumaSize {
  const width = Math.min(LUMA_WIDTH_MAX_PIXELS, info.width);
  return { width, height: Math.max(2, Math.round((info.height * width) / info.width)) };
}

/**
 * Decodes every frame of the file in order, without doubling or dropping any.
 * @throws SealcamError `video-truncated` after the last good frame
 */
export async function* decodeVideo(path: string, info: VideoInfo, signal: AbortSignal): AsyncGenerator<PipedFrame> {
  const luma = lumaSize(info);
  // The encoders count in the time of the file: in that of its average rate, frames that are closer together are lost.
  const passthrough = ['-map', '0:v:0', '-vsync', 'passthrough', '-enc_time_base', '-1'];
  const grey = ['-vf', `scale=${String(luma.width)}:${String(luma.height)}:flags=area,format=gray`];
  const { child, extra, exit } = startFfmpeg(
    [
      '-v',
      'error',
      '-nostdin',
      ...inputArgs(path),
      ...passthrough,
      ...(info.hasSquarePixels ? [] : SQUARE_PIXELS),
      '-f',
      'image2pipe',
      '-c:v',
      'mjpeg',
      '-q:v',
      JPEG_QSCALE,
      'pipe:1',
      ...passthrough,
      ...grey,
      '-f',
      'rawvideo',
      'pipe:3',
      ...passthrough,
      ...grey,
      '-f',
      'mkvtimestamp_v2',
      '-flush_packets',
      '1',
      'pipe:4',
    ],
    2,
  );
  const [lumaPipe, timePipe] = extra;
  if (lumaPipe === undefined || timePipe === undefined) throw new SealcamError('internal', 'a pipe is missing');
  const stderr = collectText(child.stderr);
  const stop = (): void => {
    child.kill('SIGKILL');
    // A paused pipe with data in it would never close, and the end of the child would go unnoticed.
    for (const pipe of [child.stdout, child.stderr, lumaPipe, timePipe]) pipe.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  const pipes = new FramePipes(child.stdout, lumaPipe, timePipe, luma.width * luma.height);
  let delivered = 0;
  try {
    for (let frame = await pipes.next(); frame !== undefined; frame = await pipes.next()) {
      yield frame;
      delivered++;
    }
    const code = await exit;
    if (!signal.aborted) checkEnd({ path, frameCount: info.frameCount, delivered, code, stderr: stderr() });
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
    await exit.catch(() => null);
  }
}

interface End {
  readonly path: string;
  /** As the container states it. */
  readonly frameCount: number | null;
  readonly delivered: number;
  readonly code: number | null;
  readonly stderr: string;
}

/**
 * Checks that ffmpeg read the whole file. What the container counts says nothing: it also counts frames that an edit list
 * hides, as in a clip that was cut without encoding it again. @throws SealcamError `video-truncated`
 */
function checkEnd({ path, frameCount, delivered, code, stderr }: End): void {
  const isEmpty = delivered === 0;
  if (code === 0 && !isEmpty && !TRUNCATED.test(stderr)) return;
  const of = frameCount === null ? '' : ` of ${String(frameCount)}`;
  throw new SealcamError('video-truncated', `${path}: ends after ${String(delivered)}${of} frames`, {
    details: { frames: delivered },
  });
}
