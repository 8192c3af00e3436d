import type { CancelTimer, Clock } from '../../common/clock.js';
import { SealcamError, asSealcamError } from '../../common/errors.js';
import type { Frame } from '../camera.js';
import { JpegSplitter } from '../jpeg-splitter.js';
import { Child, type ChildEnd, type Command } from './child.js';
import { FrameQueue } from './frame-queue.js';

export interface ChildStreamOptions {
  readonly command: Command;
  readonly clock: Clock;
  /** What to install where the program is missing. */
  readonly installHint: string;
  /** Who holds the device, asked only when it is busy. */
  readonly deviceUsers: () => Promise<readonly string[]>;
  /** Takes no more than this from a camera that delivers more than it was asked for; null takes all. */
  readonly thinToFramesPerSecond: number | null;
}

/** So long without a whole JPEG, and the program is ended. */
const SILENCE_MAX_MS = 5000;
/** A sensor that is woken takes longer to its first frame. */
const FIRST_FRAME_MAX_MS = 5000;
const WATCH_MS = 500;
/** So much that is no JPEG, and there is no use in waiting for the silence. */
const GARBAGE_MAX_BYTES = 8 * 1024 * 1024;
/** How early a frame may come and still be the one that is due, as a share of the time between two. */
const EARLY_SHARE = 0.25;

const BUSY = /resource busy|device busy|in use by another|already in use|failed to acquire|pipeline handler in use/i;

/** One run of a program that writes JPEG files to its standard output. */
export class ChildStream {
  /** The newest frame, whoever took it. */
  latest: Frame | null = null;
  private readonly options: ChildStreamOptions;
  private readonly child: Child;
  private readonly splitter = new JpegSplitter();
  private readonly queue = new FrameQueue();
  private readonly startedMs: number;
  private index = 0;
  private lastJpegMs: number | null = null;
  private dueMs = Number.NEGATIVE_INFINITY;
  private bytesSinceJpeg = 0;
  private cancelWatch: CancelTimer = () => undefined;

  /** Starts the program. */
  constructor(options: ChildStreamOptions) {
    this.options = options;
    this.startedMs = options.clock.monotonicMs();
    this.child = new Child(options.command, options.clock);
    this.child.stdout.on('data', (chunk: Uint8Array) => {
      this.onChunk(chunk);
    });
    // A pipe that breaks ends the child too; that is where it is told.
    this.child.stdout.on('error', () => undefined);
    void this.child.ended.then((end) => this.ended(end));
    this.scheduleWatch();
  }

  get dropped(): number {
    return this.queue.dropped;
  }

  /** @throws SealcamError `camera-ended`, `camera-unavailable` */
  next(): Promise<Frame | undefined> {
    return this.queue.next();
  }

  /** Whoever waits for a frame is told that none comes. */
  interrupt(): void {
    this.queue.close(null);
  }

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
      // One picture past all bounds is garbage of the kind that is counted here.
      if (asSealcamError(error).code !== 'frame-corrupt') throw error;
      this.bytesSinceJpeg += GARBAGE_MAX_BYTES;
    }
    for (const jpeg of jpegs) this.frameCame(jpeg);
    // A large picture that arrives in pieces is not garbage: the splitter bounds it.
    const garbage = this.bytesSinceJpeg - this.splitter.pendingBytes;
    if (garbage > GARBAGE_MAX_BYTES) this.fail(`${this.garbageText()}, and no JPEG`);
  }

  private frameCame(jpeg: Uint8Array): void {
    const nowMs = this.options.clock.monotonicMs();
    this.lastJpegMs = nowMs;
    this.bytesSinceJpeg = this.splitter.pendingBytes;
    const { thinToFramesPerSecond } = this.options;
    if (thinToFramesPerSecond !== null) {
      const periodMs = 1000 / thinToFramesPerSecond;
      if (nowMs + periodMs * EARLY_SHARE < this.dueMs) return;
      this.dueMs = Math.max(this.dueMs + periodMs, nowMs);
    }
    this.latest = { jpeg, monotonicMs: Math.round(nowMs), index: this.index++ };
    this.queue.push(this.latest);
  }

  private garbageText(): string {
    return `${this.options.command.program} delivered ${String(this.bytesSinceJpeg)} bytes`;
  }

  private scheduleWatch(): void {
    const { clock } = this.options;
    this.cancelWatch = clock.after(WATCH_MS, () => {
      const silentMs = clock.monotonicMs() - (this.lastJpegMs ?? this.startedMs);
      if (silentMs >= (this.lastJpegMs === null ? FIRST_FRAME_MAX_MS : SILENCE_MAX_MS)) {
        const seconds = `${String(Math.round(silentMs / 1000))} s`;
        const what = `${this.options.command.program} delivered nothing for ${seconds}`;
        this.fail(this.bytesSinceJpeg > 0 ? `${this.garbageText()} in ${seconds}, and no JPEG` : what);
      } else this.scheduleWatch();
    });
  }

  private fail(what: string): void {
    this.cancelWatch();
    const said = this.child.complaint();
    this.queue.close(new SealcamError('camera-ended', said === '' ? what : `${what}: ${said}`));
    void this.child.stop();
  }

  private async ended(end: ChildEnd): Promise<void> {
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
    const said = this.child.complaint();
    if (BUSY.test(this.child.stderr)) {
      const users = await deviceUsers();
      const by = users.length === 0 ? 'another program' : users.join(', ');
      return new SealcamError('camera-unavailable', `the camera is busy, used by ${by}`, {
        hint: 'Stop the program that uses the camera; only one can.',
      });
    }
    const how = signal === null ? `with status ${String(code)}` : `by ${signal}`;
    return new SealcamError('camera-ended', `${program} ended ${how}${said === '' ? '' : `: ${said}`}`);
  }
}
