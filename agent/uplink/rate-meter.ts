/**
 * Measures how many records a camera produces per millisecond: an average whose weights fall to a third in six hours.
 */
export interface RateMeter {
  /** Decayed number of records. */
  readonly count: number;
  /** Decayed observation time. */
  readonly watchedMs: number;
  readonly atMs: number;
}

const TIME_CONSTANT_MS = 6 * 3_600_000;
/** After a shorter observation any rate would be a guess. */
const WATCHED_MIN_MS = 10_000;

export function startMeter(nowMs: number): RateMeter {
  return { count: 0, watchedMs: 0, atMs: nowMs };
}

/** Adds records, and lets earlier ones decay by the time that has passed. */
export function countRecords(state: RateMeter, nowMs: number, records: number): RateMeter {
  const elapsedMs = Math.max(0, nowMs - state.atMs);
  const kept = Math.exp(-elapsedMs / TIME_CONSTANT_MS);
  return {
    count: state.count * kept + records,
    watchedMs: state.watchedMs * kept + TIME_CONSTANT_MS * (1 - kept),
    atMs: nowMs,
  };
}

/** Returns records per millisecond; 0 until the camera was observed for long enough. */
export function rateOf(state: RateMeter): number {
  return state.watchedMs < WATCHED_MIN_MS ? 0 : state.count / state.watchedMs;
}
