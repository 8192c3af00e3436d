import type { Readable } from 'node:stream';
import { SealcamError } from '../../common/errors.js';
import { JpegSplitter } from '../jpeg-splitter.js';

export interface PipedFrame {
  readonly jpeg: Uint8Array;
  readonly luma: Uint8Array;
  /** From the start of the file. */
  readonly timeMs: number;
}

/** With this many whole frames waiting, the pipes of ffmpeg are paused. */
const READY_MAX_FRAMES = 8;
/** The outputs of ffmpeg run a little apart; a larger distance is a fault. */
const APART_MAX_FRAMES = 256;

/**
 * Joins three outputs of one ffmpeg in lock step: JPEG files, luma planes and timestamps. Pipes are paused only while all
 * three have frames; pausing one that the others wait for would be a deadlock.
 */
export class FramePipes {
  private readonly jpegs: Uint8Array[] = [];
  private readonly planes: Uint8Array[] = [];
  private readonly times: number[] = [];
  private readonly sources: readonly Readable[];
  private open: number;
  private failure: unknown;
  private wake: () => void = () => undefined;

  constructor(jpeg: Readable, luma: Readable, timestamps: Readable, lumaBytes: number) {
    this.sources = [jpeg, luma, timestamps];
    this.open = this.sources.length;
    const splitter = new JpegSplitter();
    this.listen(jpeg, (chunk) => this.jpegs.push(...splitter.push(chunk)));
    this.listen(luma, planeReader(this.planes, lumaBytes));
    this.listen(
      timestamps,
      timestampReader((timeMs) => this.times.push(timeMs)),
    );
  }

  /** Returns the next whole frame; undefined at the end. @throws SealcamError `frame-corrupt`, `video-unreadable` */
  async next(): Promise<PipedFrame | undefined> {
    while (this.waiting() === 0) {
      if (this.failure !== undefined) throw this.failure as Error;
      if (this.open === 0) return undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const jpeg = this.jpegs.shift();
    const luma = this.planes.shift();
    const timeMs = this.times.shift();
    if (jpeg === undefined || luma === undefined || timeMs === undefined) return undefined;
    if (this.waiting() < READY_MAX_FRAMES / 2) for (const source of this.sources) source.resume();
    return { jpeg, luma, timeMs };
  }

  private waiting(): number {
    return Math.min(this.jpegs.length, this.planes.length, this.times.length);
  }

  private listen(source: Readable, addChunk: (chunk: Uint8Array) => void): void {
    source.on('data', (chunk: Uint8Array) => {
      try {
        addChunk(chunk);
        if (Math.max(this.jpegs.length, this.planes.length) > APART_MAX_FRAMES) {
          throw new SealcamError('video-unreadable', 'the outputs of ffmpeg are too far apart');
        }
      } catch (error) {
        this.failure ??= error;
      }
      if (this.waiting() >= READY_MAX_FRAMES) for (const each of this.sources) each.pause();
      this.wake();
    });
    source.once('close', () => {
      this.open--;
      this.wake();
    });
    source.on('error', (error) => {
      this.failure ??= error;
      this.wake();
    });
  }
}

/** Cuts a stream of bytes into planes of `size` bytes. */
function planeReader(out: Uint8Array[], size: number): (chunk: Uint8Array) => void {
  let plane = new Uint8Array(size);
  let filled = 0;
  return (chunk) => {
    for (let from = 0; from < chunk.length;) {
      const count = Math.min(size - filled, chunk.length - from);
      plane.set(chunk.subarray(from, from + count), filled);
      filled += count;
      from += count;
      if (filled === size) {
        out.push(plane);
        plane = new Uint8Array(size);
        filled = 0;
      }
    }
  };
}

/** Parses the timestamp format v2 of Matroska: a comment line, then one time in milliseconds per line. */
export function timestampReader(addTime: (timeMs: number) => void): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder();
  let rest = '';
  return (chunk) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '' && !line.startsWith('#')) addTime(Number(line));
  };
}
