const HOUR_MS = 3_600_000;

/**
 * At most so many events in any hour: half of them may come at once, the others are let in evenly. A token bucket that holds
 * the half and gains the others within an hour; one more, because what comes exactly on the hour belongs to the next.
 */
export class EventLimit {
  private readonly perHour: number;
  private readonly burst: number;
  /** In tokens an hour times milliseconds, so that whole numbers stay whole. */
  private level: number;
  private lastMs: number | null = null;

  /** `perHour` 0: no limit. */
  constructor(perHour: number) {
    this.perHour = perHour;
    this.burst = Math.ceil(perHour / 2);
    this.level = this.burst * HOUR_MS;
  }

  /** Whether an event that begins now is let in. Monotonic milliseconds. */
  admits(nowMs: number): boolean {
    if (this.perHour === 0) return true;
    const elapsedMs = Math.max(0, nowMs - (this.lastMs ?? nowMs));
    this.lastMs = nowMs;
    this.level = Math.min(this.burst * HOUR_MS, this.level + elapsedMs * (this.perHour + 1 - this.burst));
    if (this.level < HOUR_MS) return false;
    this.level -= HOUR_MS;
    return true;
  }
}
