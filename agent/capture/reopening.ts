/** Blindness after which the camera is opened again, and the longest wait when that does not help. */
const FIRST_MS = 2 * 60_000;
const MAX_MS = 60 * 60_000;

/**
 * Decides when a camera that delivers frames and shows nothing is opened again: a driver or sensor that hangs often recovers by
 * that, a covered lens does not, so each wait is twice as long as the one before.
 */
export class Reopening {
  private blindSinceMs: number | null = null;
  private waitMs = FIRST_MS;

  /** Adds what the camera sees now. Returns whether it should be opened again. */
  note(sees: 'yes' | 'no' | 'unknown', nowMs: number): boolean {
    if (sees === 'yes') {
      this.blindSinceMs = null;
      this.waitMs = FIRST_MS;
    }
    if (sees !== 'no') return false;
    this.blindSinceMs ??= nowMs;
    if (nowMs - this.blindSinceMs < this.waitMs) return false;
    this.blindSinceMs = nowMs;
    this.waitMs = Math.min(MAX_MS, this.waitMs * 2);
    return true;
  }
}
