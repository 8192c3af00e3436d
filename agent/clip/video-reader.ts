import { isAborted } from '../../common/abort.js';
import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { retrying } from '../../common/retry.js';
import type { VideoInfo, VideoSource, VideoUnit } from '../../hal/video-source.js';

export interface VideoReaderDependencies {
  readonly video: VideoSource;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly onStarted: (info: VideoInfo) => void;
  readonly onUnit: (unit: VideoUnit) => void;
  /** The video ended, or its reading was stopped: what follows does not continue it. */
  readonly onEnded: () => void;
}

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 60_000;
/** Video that lasted this long resets the back-off, and its next fault is logged again. */
const STEADY_MS = 30_000;

/** Reads the video of an open camera, and begins again with a growing back-off after each fault. Frames go on meanwhile. */
export class VideoReader {
  private readonly deps: VideoReaderDependencies;
  private reading: AbortController | null = null;
  private done: Promise<unknown> = Promise.resolve();
  private fault: SealcamError | null = null;
  private loggedCode = '';

  constructor(deps: VideoReaderDependencies) {
    this.deps = deps;
  }

  /** The last fault; null while video comes. */
  get lastFault(): SealcamError | null {
    return this.fault;
  }

  /** The camera is open. A reading that runs is stopped first. */
  start(): void {
    this.stop();
    const reading = new AbortController();
    this.reading = reading;
    const { signal } = reading;
    const options = {
      clock: this.deps.clock,
      signal,
      firstDelayMs: RETRY_FIRST_MS,
      maxDelayMs: RETRY_MAX_MS,
    };
    // One reader at a time.
    this.done = this.done.then(() => retrying(options, (resetDelay) => this.read(signal, resetDelay)));
  }

  /** Stops reading at once: no unit is delivered any more. */
  stop(): void {
    if (this.reading === null) return;
    this.reading.abort();
    this.reading = null;
    this.deps.onEnded();
  }

  /** Counts a fault, and logs it once. */
  report(error: SealcamError): void {
    const { counters, log } = this.deps;
    const { code, message, hint } = error;
    this.fault = error;
    counters.add(`video.${code}`);
    if (code !== this.loggedCode) log.warn({ code, hint }, `no clips for now: ${message}`);
    this.loggedCode = code;
  }

  private async read(signal: AbortSignal, resetDelay: () => void): Promise<null> {
    const { video, clock, onStarted, onUnit, onEnded } = this.deps;
    let startedMs: number | null = null;
    try {
      const info = await video.open(signal);
      if (isAborted(signal)) return null;
      onStarted(info);
      for await (const unit of video.units(signal)) {
        if (isAborted(signal)) return null;
        if (startedMs === null) this.fault = null;
        startedMs ??= clock.monotonicMs();
        onUnit(unit);
      }
      if (isAborted(signal)) return null;
      throw new SealcamError('video-ended', 'the video ended');
    } catch (error) {
      if (isAborted(signal)) return null;
      if (startedMs !== null && clock.monotonicMs() - startedMs >= STEADY_MS) {
        this.loggedCode = '';
        resetDelay();
      }
      this.report(asSealcamError(error));
      onEnded();
    }
    return null;
  }
}
