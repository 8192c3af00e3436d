import type { Readable } from 'node:stream';
import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import { H264Track } from '../h264/track.js';
import type { VideoFeed } from '../video-feed.js';

/** An encoder that delivers no unit for this long is dead. */
const SILENCE_MAX_MS = 5000;

export interface ChildVideoOptions {
  readonly pipe: Readable;
  readonly clock: Clock;
  readonly feed: VideoFeed;
  /** The program, for error messages. */
  readonly program: string;
  /** Silence allowed before the first unit. */
  readonly firstMaxMs: number;
}

/** The second output of one run of a camera's program: H.264 beside the frames. Its end leaves the frames alone. */
export class ChildVideo {
  private readonly options: ChildVideoOptions;
  private lastUnitMs: number | null = null;
  private readonly startedMs: number;
  private isOver = false;

  constructor(options: ChildVideoOptions) {
    this.options = options;
    const { pipe, clock, feed, program } = options;
    this.startedMs = clock.monotonicMs();
    const track = new H264Track({
      onUnit: (unit) => {
        this.lastUnitMs = clock.monotonicMs();
        feed.put(unit);
      },
      onFault: (error) => {
        feed.fail(error);
      },
    });
    pipe.on('data', (chunk: Uint8Array) => {
      track.push(chunk, clock.monotonicMs());
    });
    pipe.on('error', () => undefined);
    pipe.once('close', () => {
      track.end();
      this.end(`${program} ended its video`);
    });
  }

  /** Only another run of the program brings units again. */
  get isDead(): boolean {
    return this.isOver;
  }

  /** Ends the video of a program that has delivered none for too long. */
  checkSilence(): void {
    const { clock, firstMaxMs, program } = this.options;
    const silentMs = clock.monotonicMs() - (this.lastUnitMs ?? this.startedMs);
    if (silentMs < (this.lastUnitMs === null ? firstMaxMs : SILENCE_MAX_MS)) return;
    this.end(`${program} delivered no video for ${String(Math.round(silentMs / 1000))} s`);
  }

  private end(what: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.options.feed.fail(new SealcamError('video-ended', what));
  }
}
