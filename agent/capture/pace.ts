import type { Frame } from '../../hal/camera.js';

/** After so long with nothing to see, fewer frames are looked at. */
const CALM_MS = 3000;
/** Frames that come a little early count: 3 looks a second are each third frame of ten. */
const EARLY = 0.9;
/** More frames than this are not kept, however fast they come; the oldest go. */
const WAITING_MAX = 32;

/**
 * How often to look. While nothing moves most frames wait unseen; when one that is looked at differs, those before it
 * are looked at after all, so that an event begins as early, and with the same first frame, as if all had been.
 */
export class Pace {
  private readonly periodMs: number;
  private waiting: Frame[] = [];
  private restlessMs = -Infinity;
  private lookedMs = -Infinity;
  private hasLooked = false;

  constructor(idleFramesPerSecond: number) {
    this.periodMs = 1000 / idleFramesPerSecond;
  }

  /** Keeps the frame for later and says so, or gives those before it up: it is to be looked at now. */
  mayWait(frame: Frame): boolean {
    if (!this.isIdle(frame.monotonicMs) || frame.monotonicMs - this.lookedMs >= EARLY * this.periodMs) return false;
    this.waiting.push(frame);
    if (this.waiting.length > WAITING_MAX) this.waiting.shift();
    return true;
  }

  isIdle(timeMs: number): boolean {
    return this.hasLooked && timeMs - this.restlessMs >= CALM_MS;
  }

  get isWaiting(): boolean {
    return this.waiting.length > 0;
  }

  /** The frames that wait, oldest first; none is kept. */
  drainWaiting(): readonly Frame[] {
    return this.waiting.splice(0);
  }

  looked(isCalm: boolean, timeMs: number): void {
    if (!isCalm || !this.hasLooked) this.restlessMs = timeMs;
    this.hasLooked = true;
    this.lookedMs = timeMs;
  }
}
