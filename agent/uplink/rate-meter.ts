/** Records a camera produces per millisecond, as a mean in which six hours ago counts a third of now. */
export interface RateMeter {
  /** Decayed count of records. */
  readonly count: number;
  /** Decayed time that was watched, in milliseconds. */
  readonly watchedMs: number;
  readonly atMs: number;
}

const TIME_CONSTANT_MS = 6 * 3_600_000;
/** Less than this was watched: any rate would be a guess. */
const WATCHED_MIN_MS = 10_000;

export function startMeter(nowMs: number): RateMeter {
  return { count: 0, watchedMs: 0, atMs: nowMs };
}

export function countRecords(state: RateMeter, nowMs: number, records: number): RateMeter {
  const elapsed = Math.max(0, nowMs - state.atMs);
  const kept = Math.exp(-elapsed / TIME_CONSTANT_MS);
  return {
    count: state.count * kept + records,
    watchedMs: state.watchedMs * kept + TIME_CONSTANT_MS * (1 - kept),
    atMs: nowMs,
  };
}

export function rateOf(state: RateMeter): number {
  return state.watchedMs < WATCHED_MIN_MS ? 0 : state.count / state.watchedMs;
}
