const HOUR_MS = 3_600_000;

/**
 * Admits at most `perHour` events in any hour: half of them in one burst, the rest spread evenly. A token bucket that holds
 * half and gains the other half within an hour, plus one: an event exactly an hour later belongs to the next hour.
 */
export class EventLimit {
  private readonly perHour: number;
  private readonly burst: number;
  /** In units of one token per hour times milliseconds, so that it stays a whole number. */
  private level: number;
  private lastMs: number | null = null;

  /** `perHour` 0: no limit. */
  constructor(perHour: number) {
    this.perHour = perHour;
    this.burst = Math.ceil(perHour / 2);
    this.level = this.burst * HOUR_MS;
  }

  /** Returns whether an event that starts now is admitted. `nowMs` is monotonic. */
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
