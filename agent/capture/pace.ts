import type { Frame } from '../../hal/camera.js';

/** Without motion for this long, fewer frames are inspected. */
const CALM_BEFORE_IDLE_MS = 3000;
/** A frame is due after this share of the period, so that 3 a second are every third of 10. */
const DUE_MIN_PERIOD_SHARE = 0.9;
/** More waiting frames push out the oldest. */
const WAITING_MAX_FRAMES = 32;

/**
 * Decides which frames are inspected. While nothing moves, most frames wait; when an inspected one differs, those before
 * it are inspected too, so that an event begins with the same frame as if all had been.
 */
export class Pace {
  private readonly periodMs: number;
  private waiting: Frame[] = [];
  private lastRestlessMs = -Infinity;
  private inspectedMs = -Infinity;
  private hasInspected = false;

  constructor(idleFramesPerSecond: number) {
    this.periodMs = 1000 / idleFramesPerSecond;
  }

  /** Keeps a frame and returns true where it may wait; returns false where it is due now. */
  mayWait(frame: Frame): boolean {
    if (!this.isIdle(frame.monotonicMs) || frame.monotonicMs - this.inspectedMs >= DUE_MIN_PERIOD_SHARE * this.periodMs)
      return false;
    this.waiting.push(frame);
    if (this.waiting.length > WAITING_MAX_FRAMES) this.waiting.shift();
    return true;
  }

  /** Reports whether fewer frames are inspected at this time. */
  isIdle(timeMs: number): boolean {
    return this.hasInspected && timeMs - this.lastRestlessMs >= CALM_BEFORE_IDLE_MS;
  }

  /** Whether any frames wait. */
  get isWaiting(): boolean {
    return this.waiting.length > 0;
  }

  /** Removes and returns the waiting frames, oldest first. */
  drainWaiting(): readonly Frame[] {
    return this.waiting.splice(0);
  }

  /** A frame was inspected; `isCalm` where nothing moved in it that counts. */
  noteInspection(isCalm: boolean, timeMs: number): void {
    if (!isCalm || !this.hasInspected) this.lastRestlessMs = timeMs;
    this.hasInspected = true;
    this.inspectedMs = timeMs;
  }
}
