import type { CancelTimer, Clock } from '../../common/clock.js';
import { SealcamError, asSealcamError } from '../../common/errors.js';
import type { Frame } from '../camera.js';
import { BoundedQueue } from '../bounded-queue.js';
import { JpegSplitter } from '../jpeg-splitter.js';
import { Thinner } from '../thinner.js';
import type { VideoFeed } from '../video-feed.js';
import { Child, type ChildEnd, type Command } from './child.js';
import { ChildVideo } from './child-video.js';

export interface ChildStreamOptions {
  readonly command: Command;
  readonly clock: Clock;
  /** Which packages to install where the program is missing. */
  readonly installHint: string;
  /** Finds the processes that hold the device; called only when it is busy. */
  readonly deviceUsers: () => Promise<readonly string[]>;
  /** Drops frames of a camera that delivers more than this; null keeps all. */
  readonly thinToFramesPerSecond: number | null;
  /** Takes the video, where the command has a second output. */
  readonly feed: VideoFeed;
  /** Silence allowed before the first frame, for which a sensor has to wake up. */
  readonly firstFrameMaxMs: number;
  /** Number of the first frame. */
  readonly firstIndex: number;
}

const QUEUE_MAX_FRAMES = 4;
const QUEUE_MAX_BYTES = 16 * 1024 * 1024;
/** A program that delivers no whole JPEG for this long is ended. */
const SILENCE_MAX_MS = 5000;
const CHECK_EVERY_MS = 500;
/** A program that delivers this much without a JPEG is ended before the silence is over. */
const GARBAGE_MAX_BYTES = 8 * 1024 * 1024;

const BUSY_MESSAGE =
  /resource busy|device busy|in use by another|already in use|failed to acquire|pipeline handler in use/i;

/** One run of a program that writes JPEG files to its standard output. */
export class ChildStream {
  /** The newest frame. */
  latest: Frame | null = null;
  private readonly options: ChildStreamOptions;
  private readonly child: Child;
  private readonly splitter = new JpegSplitter();
  private readonly queue = new BoundedQueue<Frame>({
    maxItems: QUEUE_MAX_FRAMES,
    maxBytes: QUEUE_MAX_BYTES,
    bytesOf: ({ jpeg }) => jpeg.length,
    isStart: () => true,
  });
  private readonly startedMs: number;
  private readonly video: ChildVideo | null;
  private index: number;
  private lastJpegMs: number | null = null;
  private readonly thinner: Thinner | null;
  private bytesSinceJpeg = 0;
  private cancelWatch: CancelTimer = () => undefined;

  /** Starts the program. */
  constructor(options: ChildStreamOptions) {
    this.options = options;
    this.startedMs = options.clock.monotonicMs();
    this.index = options.firstIndex;
    this.thinner = options.thinToFramesPerSecond === null ? null : new Thinner(options.thinToFramesPerSecond);
    this.child = new Child(options.command, options.clock);
    const { command, clock, feed, firstFrameMaxMs } = options;
    const pipe = this.child.secondOutput;
    this.video =
      pipe === null
        ? null
        : new ChildVideo({ pipe, clock, feed, program: command.program, firstMaxMs: firstFrameMaxMs });
    this.child.stdout.on('data', (chunk: Uint8Array) => {
      this.onChunk(chunk);
    });
    // A broken pipe ends the child too, and its end is reported.
    this.child.stdout.on('error', () => undefined);
    void this.child.ended.then((end) => this.closeQueue(end));
    this.scheduleWatch();
  }

  /** Only another run of the program brings video again. */
  get hasDeadVideo(): boolean {
    return this.video?.isDead === true;
  }

  /** Frames dropped because the reader was late. */
  get dropped(): number {
    return this.queue.dropped;
  }

  /** Returns the next frame; undefined after an interrupt or a stop. @throws SealcamError `camera-ended`, `camera-unavailable` */
  next(): Promise<Frame | undefined> {
    return this.queue.next();
  }

  /** Ends the stream for its reader. */
  interrupt(): void {
    this.queue.close(null);
  }

  /** Ends the program and everything it started. */
  async stop(): Promise<void> {
    this.cancelWatch();
    this.queue.close(null);
    await this.child.stop();
  }

  private onChunk(chunk: Uint8Array): void {
    this.bytesSinceJpeg += chunk.length;
    let jpegs: readonly Uint8Array[] = [];
    try {
      jpegs = this.splitter.push(chunk);
    } catch (error) {
      // A picture beyond the limit of the splitter counts as garbage.
      if (asSealcamError(error).code !== 'frame-corrupt') throw error;
      this.bytesSinceJpeg += GARBAGE_MAX_BYTES;
    }
    for (const jpeg of jpegs) this.addFrame(jpeg);
    // A large picture that arrives in pieces is not garbage: the splitter limits it.
    const garbage = this.bytesSinceJpeg - this.splitter.pendingBytes;
    if (garbage > GARBAGE_MAX_BYTES) this.fail(`${this.garbageText()}, and no JPEG`);
  }

  private addFrame(jpeg: Uint8Array): void {
    const nowMs = this.options.clock.monotonicMs();
    this.lastJpegMs = nowMs;
    this.bytesSinceJpeg = this.splitter.pendingBytes;
    if (this.thinner?.keeps(nowMs) === false) return;
    this.latest = { jpeg, monotonicMs: Math.round(nowMs), index: this.index++ };
    this.queue.push(this.latest);
  }

  private garbageText(): string {
    return `${this.options.command.program} delivered ${String(this.bytesSinceJpeg)} bytes`;
  }

  private scheduleWatch(): void {
    const { clock, firstFrameMaxMs } = this.options;
    this.cancelWatch = clock.after(CHECK_EVERY_MS, () => {
      this.video?.checkSilence();
      const silentMs = clock.monotonicMs() - (this.lastJpegMs ?? this.startedMs);
      if (silentMs >= (this.lastJpegMs === null ? firstFrameMaxMs : SILENCE_MAX_MS)) {
        const seconds = `${String(Math.round(silentMs / 1000))} s`;
        const what = `${this.options.command.program} delivered nothing for ${seconds}`;
        this.fail(this.bytesSinceJpeg > 0 ? `${this.garbageText()} in ${seconds}, and no JPEG` : what);
      } else this.scheduleWatch();
    });
  }

  private fail(what: string): void {
    this.cancelWatch();
    const complaint = this.child.complaint();
    this.queue.close(new SealcamError('camera-ended', complaint === '' ? what : `${what}: ${complaint}`));
    void this.child.stop();
  }

  private async closeQueue(end: ChildEnd): Promise<void> {
    this.cancelWatch();
    this.queue.close(await this.reasonOf(end));
  }

  private async reasonOf({ code, signal, startError }: ChildEnd): Promise<SealcamError> {
    const { command, installHint, deviceUsers } = this.options;
    const { program } = command;
    if (startError === 'ENOENT') {
      return new SealcamError('camera-unavailable', `${program} is not installed`, { hint: installHint });
    }
    if (startError !== null) {
      return new SealcamError('camera-unavailable', `${program} could not be started: ${startError}`);
    }
    const complaint = this.child.complaint();
    if (BUSY_MESSAGE.test(this.child.stderr)) {
      const users = await deviceUsers();
      const by = users.length === 0 ? 'another program' : users.join(', ');
      return new SealcamError('camera-unavailable', `the camera is busy, used by ${by}`, {
        hint: 'Stop the program that uses the camera; only one can.',
      });
    }
    const how = signal === null ? `with status ${String(code)}` : `by ${signal}`;
    return new SealcamError('camera-ended', `${program} ended ${how}${complaint === '' ? '' : `: ${complaint}`}`);
  }
}
