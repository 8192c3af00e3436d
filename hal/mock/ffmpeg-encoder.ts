import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { SealcamError } from '../../common/errors.js';
import { readJpegSize } from '../../common/jpeg-size.js';
import type { Frame } from '../camera.js';
import { TimedTrack } from '../h264/timed-track.js';
import type { FrameEncoder, FrameEncoderOptions } from './frame-encoder.js';

/** Time between two key units. */
export const FFMPEG_KEY_INTERVAL_MS = 2000;
/** With this much unwritten, the encoder is too slow and frames are lost. */
const UNWRITTEN_MAX_BYTES = 4 * 1024 * 1024;

type Program = ChildProcessByStdio<Writable, Readable, null>;

/** x264, one thread, so that the same frames give the same bytes. */
function encoderArgs(framesPerSecond: number): string[] {
  const gop = String(Math.max(1, Math.round((framesPerSecond * FFMPEG_KEY_INTERVAL_MS) / 1000)));
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

/** The system's ffmpeg as an encoder: each unit comes with its frame. */
export class FfmpegEncoder implements FrameEncoder {
  private readonly program: Program;
  private readonly track: TimedTrack;

  constructor({ framesPerSecond, onUnit, onFault }: FrameEncoderOptions) {
    const track = new TimedTrack({ onUnit, onFault });
    const program = spawn('ffmpeg', encoderArgs(framesPerSecond), { stdio: ['pipe', 'pipe', 'ignore'] });
    // A write to an encoder that has ended fails; its end is reported.
    program.stdin.on('error', () => undefined);
    program.stdout.on('data', (chunk: Uint8Array) => {
      track.push(chunk);
    });
    program.once('error', (error) => {
      onFault(new SealcamError('video-unsupported', `ffmpeg could not be started: ${error.message}`));
    });
    program.once('close', (code, ended) => {
      track.end();
      onFault(new SealcamError('video-ended', `the encoder ended (${ended ?? `status ${String(code)}`})`));
    });
    this.program = program;
    this.track = track;
  }

  add({ jpeg, monotonicMs }: Frame): void {
    const { stdin } = this.program;
    if (!stdin.writable || stdin.writableLength > UNWRITTEN_MAX_BYTES || readJpegSize(jpeg) === null) return;
    stdin.write(jpeg);
    this.track.addTime(monotonicMs);
  }

  end(): void {
    this.program.stdin.end();
  }

  kill(): void {
    this.program.kill('SIGKILL');
  }
}
