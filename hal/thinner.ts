/** A frame that comes early by up to this share of the period is still the one that is due. */
const EARLY_MAX_PERIOD_SHARE = 0.25;

/** Chooses frames of a stream so that a rate is kept. */
export class Thinner {
  private readonly periodMs: number;
  private dueMs = Number.NEGATIVE_INFINITY;

  constructor(framesPerSecond: number) {
    this.periodMs = 1000 / framesPerSecond;
  }

  /** Returns whether the frame of this time is kept. */
  keeps(nowMs: number): boolean {
    if (nowMs + this.periodMs * EARLY_MAX_PERIOD_SHARE < this.dueMs) return false;
    this.dueMs = Math.max(this.dueMs, nowMs) + this.periodMs;
    return true;
  }
}
