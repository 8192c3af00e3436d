/**
 * How fast bodies of clips leave: a token bucket of bytes that starts empty and may be overdrawn by the body that is begun, so
 * that each leaves at the speed of the line and the next one waits until it is paid. By default it fills at half of the rate
 * that was measured. Pure: time is a parameter.
 */
export interface PaceState {
  /** Bytes that may leave; negative while what has left is not paid. */
  readonly tokens: number;
  readonly atMs: number;
  /** Bytes per millisecond of the line, as measured; null before the first measurement. */
  readonly measured: number | null;
  /** As the setting has it, in bytes per millisecond; null: half of what was measured. */
  readonly told: number | null;
  /** Bytes that were delivered since `markMs`, while something was always under way. */
  readonly delivered: number;
  readonly markMs: number;
}

/** What a bucket saves up while nothing waits: the beginning of a clip. */
const BURST_BYTES = 1024 * 1024;
/** A measurement over fewer bytes would measure the answer's way, not the line. */
const MEASURED_MIN_BYTES = 32 * 1024;
const MEASURED_SHARE = 0.5;
/** A cloud cuts what comes slower. */
const BYTES_PER_MS_MIN = 4;

export function startPace(nowMs: number, bytesPerSecond: number | null): PaceState {
  const told = bytesPerSecond === null ? null : bytesPerSecond / 1000;
  return { tokens: 0, atMs: nowMs, measured: null, told, delivered: 0, markMs: nowMs };
}

/** Bytes per millisecond at which the bucket fills; null while nothing limits it. */
function fillRate({ told, measured }: PaceState): number | null {
  if (told !== null) return told;
  return measured === null ? null : Math.max(BYTES_PER_MS_MIN, measured * MEASURED_SHARE);
}

function refill(state: PaceState, nowMs: number): PaceState {
  const rate = fillRate(state);
  const added = rate === null ? 0 : Math.max(0, nowMs - state.atMs) * rate;
  return { ...state, atMs: nowMs, tokens: Math.min(BURST_BYTES, state.tokens + added) };
}

/** Returns the state in which nothing is saved up. Debts stay. */
export function emptied(state: PaceState, nowMs: number): PaceState {
  const filled = refill(state, nowMs);
  return { ...filled, tokens: Math.min(0, filled.tokens) };
}

/** Returns how long the next body must wait. */
export function waitOf(state: PaceState, nowMs: number): number {
  const rate = fillRate(state);
  const { tokens } = refill(state, nowMs);
  return rate === null || tokens >= 0 ? 0 : -tokens / rate;
}

/** Charges a body that is begun. `isFirst`: nothing else is under way. */
export function begin(state: PaceState, nowMs: number, bytes: number, isFirst: boolean): PaceState {
  const filled = refill(state, nowMs);
  const charged = { ...filled, tokens: filled.tokens - bytes };
  return isFirst ? { ...charged, delivered: 0, markMs: nowMs } : charged;
}

/** Counts a body that was delivered, and measures. */
export function end(state: PaceState, nowMs: number, bytes: number): PaceState {
  const counted = { ...refill(state, nowMs), delivered: state.delivered + bytes };
  const tookMs = nowMs - state.markMs;
  if (counted.delivered < MEASURED_MIN_BYTES || tookMs <= 0) return counted;
  const seen = counted.delivered / tookMs;
  const measured = state.measured === null ? seen : (state.measured + seen) / 2;
  return { ...counted, measured, delivered: 0, markMs: nowMs };
}
