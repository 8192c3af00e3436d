/**
 * How fast bodies of clips leave: a token bucket of bytes that starts empty and may be overdrawn by the body that is begun, so
 * that each leaves at the speed of the line and the next one waits until it is paid. By default it fills at half of the rate
 * that was measured. Pure: time is a parameter.
 */
export interface PaceState {
  /** Bytes that may leave; negative while what has left is not paid. */
  readonly tokens: number;
  readonly atMs: number;
  /** What the last bodies measured, in bytes per millisecond, the newest first. */
  readonly measured: readonly number[];
  /** As the setting has it, in bytes per millisecond; null: half of what was measured. */
  readonly told: number | null;
}

/** What a bucket saves up while nothing waits: the beginning of a clip. */
const BURST_BYTES = 1024 * 1024;
/** A smaller body measures the way of its answer, not the line. */
const MEASURED_MIN_BYTES = 32 * 1024;
const MEASUREMENTS_MAX = 8;
const MEASURED_SHARE = 0.5;
/** A cloud cuts what comes slower. */
const BYTES_PER_MS_MIN = 4;

export function startPace(nowMs: number, bytesPerSecond: number | null): PaceState {
  return { tokens: 0, atMs: nowMs, measured: [], told: bytesPerSecond === null ? null : bytesPerSecond / 1000 };
}

/** Returns the state in which nothing is saved up. Debts stay. */
export function emptied(state: PaceState, nowMs: number): PaceState {
  const filled = refill(state, nowMs);
  return { ...filled, tokens: Math.min(0, filled.tokens) };
}

/** Returns how long the next body must wait. */
export function waitOf(state: PaceState, nowMs: number): number {
  const { tokens } = refill(state, nowMs);
  const rate = fillRate(state);
  return rate === null || tokens >= 0 ? 0 : -tokens / rate;
}

/** Charges a body that is begun. */
export function begin(state: PaceState, nowMs: number, bytes: number): PaceState {
  const filled = refill(state, nowMs);
  return { ...filled, tokens: filled.tokens - bytes };
}

/** Measures by a body that was delivered: `tookMs` from its first byte to the answer. */
export function measure(state: PaceState, nowMs: number, bytes: number, tookMs: number): PaceState {
  if (bytes < MEASURED_MIN_BYTES) return state;
  const measured = [bytes / Math.max(1, tookMs), ...state.measured].slice(0, MEASUREMENTS_MAX);
  return { ...refill(state, nowMs), measured };
}

/**
 * Bytes per millisecond at which the bucket fills; null before anything was measured. A body shows less than the line carries
 * where the cloud was slow, or another one shared the line, and never more: so the fastest of the last ones counts.
 */
function fillRate({ told, measured }: PaceState): number | null {
  if (told !== null) return told;
  return measured.length === 0 ? null : Math.max(BYTES_PER_MS_MIN, Math.max(...measured) * MEASURED_SHARE);
}

function refill(state: PaceState, nowMs: number): PaceState {
  const added = Math.max(0, nowMs - state.atMs) * (fillRate(state) ?? 0);
  return { ...state, atMs: nowMs, tokens: Math.min(BURST_BYTES, state.tokens + added) };
}
