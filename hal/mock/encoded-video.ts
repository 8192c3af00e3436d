import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { SealcamError, systemCode } from '../../common/errors.js';
import { readJpegSize } from '../../common/jpeg-size.js';
import type { Frame } from '../camera.js';
import type { FrameTap } from '../frame-tap.js';
import { TimedTrack } from '../h264/timed-track.js';
import { VideoFeed } from '../video-feed.js';
import type { VideoInfo, VideoSource, VideoUnit } from '../video-source.js';

const KEY_INTERVAL_MS = 2000;
/** With this much unwritten, the encoder is too slow and frames are lost. */
const UNWRITTEN_MAX_BYTES = 4 * 1024 * 1024;

type Encoder = ChildProcessByStdio<Writable, Readable, null>;

/** What stands in for a camera's encoder: x264, one thread, so that the same frames give the same bytes. */
function encoderArgs(framesPerSecond: number): string[] {
  const gop = String(Math.max(1, Math.round((framesPerSecond * KEY_INTERVAL_MS) / 1000)));
  return [
    '-v',
    'error',
    '-probesize',
    '32',
    '-analyzeduration',
    '0',
    '-f',
    'image2pipe',
    '-c:v',
    'mjpeg',
    '-framerate',
    String(framesPerSecond),
    '-i',
    'pipe:0',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-tune',
    'zerolatency',
    '-pix_fmt',
    'yuv420p',
    '-g',
    gop,
    '-threads',
    '1',
    '-x264-params',
    'sliced-threads=0:aud=1:repeat-headers=1',
    '-flush_packets',
    '1',
    '-f',
    'h264',
    'pipe:1',
  ];
}

/** The H.264 of a mock camera: its own frames, compressed by the system's ffmpeg. A real camera is never encoded here. */
export class EncodedVideo implements VideoSource {
  private readonly camera: FrameTap;
  private isRead = false;

  constructor(camera: FrameTap) {
    this.camera = camera;
  }

  async open(signal: AbortSignal): Promise<VideoInfo> {
    const { width, height, framesPerSecond } = await this.camera.open(signal);
    return { codec: 'h264', width, height, framesPerSecond, keyIntervalMs: KEY_INTERVAL_MS };
  }

  async *units(signal: AbortSignal): AsyncGenerator<VideoUnit> {
    if (this.isRead) throw new SealcamError('camera-unavailable', 'the video streams already');
    this.isRead = true;
    try {
      const { framesPerSecond } = await this.open(signal);
      yield* this.encode(framesPerSecond, signal);
    } finally {
      this.isRead = false;
    }
  }

  private async *encode(framesPerSecond: number, signal: AbortSignal): AsyncGenerator<VideoUnit> {
    const feed = new VideoFeed();
    const track = new TimedTrack({
      onUnit: (unit) => {
        feed.put(unit);
      },
      onFault: (error) => {
        feed.fail(error);
      },
    });
    const encoder = spawn('ffmpeg', encoderArgs(framesPerSecond), { stdio: ['pipe', 'pipe', 'ignore'] });
    const leave = this.camera.listen(
      (frame) => {
        // One frame is one unit, in order.
        if (write(encoder, frame)) track.addTime(frame.monotonicMs);
      },
      () => {
        encoder.stdin.end();
      },
    );
    listen(encoder, track, feed);
    try {
      yield* feed.units(signal);
    } finally {
      leave();
      encoder.kill('SIGKILL');
    }
  }
}

function listen(encoder: Encoder, track: TimedTrack, feed: VideoFeed): void {
  // A write to an encoder that has ended fails; its end is reported.
  encoder.stdin.on('error', () => undefined);
  encoder.stdout.on('data', (chunk: Uint8Array) => {
    track.push(chunk);
  });
  encoder.once('error', (error) => {
    const isMissing = systemCode(error) === 'ENOENT';
    const what = isMissing ? 'ffmpeg is not installed' : `ffmpeg could not be started: ${error.message}`;
    feed.fail(
      new SealcamError('video-unsupported', `the mock camera has no encoder: ${what}`, {
        hint: 'Install ffmpeg (Debian: apt install ffmpeg), or set clip.codec to jpeg.',
      }),
    );
  });
  encoder.once('close', (code, ended) => {
    track.end();
    feed.fail(new SealcamError('video-ended', `the encoder ended (${ended ?? `status ${String(code)}`})`));
  });
}

/** Returns whether the frame goes into the encoder: a damaged one would have no unit. */
function write({ stdin }: Encoder, { jpeg }: Frame): boolean {
  if (!stdin.writable || stdin.writableLength > UNWRITTEN_MAX_BYTES || readJpegSize(jpeg) === null) return false;
  stdin.write(jpeg);
  return true;
}
