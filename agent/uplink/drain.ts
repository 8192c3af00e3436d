/**
 * How fast records leave once the camera is connected. Live ones have an allowance of their own and never wait behind
 * the backlog; the backlog goes through a token bucket that starts empty, so that a returning fleet's ingest has no peak.
 * Pure: time is passed in.
 */
export interface DrainState {
  readonly live: number;
  readonly backlog: number;
  readonly atMs: number;
  /** Backlog records per millisecond. */
  readonly rate: number;
  /** Told by the cloud: least time between two backlog records. Null until told. */
  readonly toldIntervalMs: number | null;
}

const LIVE_BURST = 4;
const LIVE_PER_MS = 2 / 1000;
const BACKLOG_BURST = 1;
/** At least one record in two minutes. */
const RATE_MIN = 1 / 120_000;
const OWN_RATE_FACTOR = 5;
/** No camera drains faster than this, whatever it produced. */
const RATE_MAX = 20 / 1000;

/** `ownRate`: records this camera produces per millisecond, on average. */
export function startDrain(nowMs: number, ownRate: number, toldIntervalMs: number | null): DrainState {
  const rate = Math.min(RATE_MAX, Math.max(RATE_MIN, OWN_RATE_FACTOR * ownRate));
  return { live: LIVE_BURST, backlog: 0, atMs: nowMs, rate, toldIntervalMs };
}

function backlogRate(state: DrainState): number {
  return state.toldIntervalMs === null ? state.rate : 1 / Math.max(1, state.toldIntervalMs);
}

export function refill(state: DrainState, nowMs: number): DrainState {
  const elapsed = Math.max(0, nowMs - state.atMs);
  return {
    ...state,
    atMs: nowMs,
    live: Math.min(LIVE_BURST, state.live + elapsed * LIVE_PER_MS),
    backlog: Math.min(BACKLOG_BURST, state.backlog + elapsed * backlogRate(state)),
  };
}

export function spendLive(state: DrainState): DrainState | null {
  return state.live >= 1 ? { ...state, live: state.live - 1 } : null;
}

export function spendBacklog(state: DrainState): DrainState | null {
  return state.backlog >= 1 ? { ...state, backlog: state.backlog - 1 } : null;
}

/** The broker said "quota exceeded". */
export function slowDown(state: DrainState): DrainState {
  if (state.toldIntervalMs !== null) return { ...state, toldIntervalMs: Math.min(900_000, state.toldIntervalMs * 2) };
  return { ...state, rate: Math.max(RATE_MIN, state.rate / 2), backlog: 0 };
}

export function withTargetInterval(state: DrainState, intervalMs: number): DrainState {
  return { ...state, toldIntervalMs: intervalMs };
}

/** When the next token of the given kind will be there. */
export function nextTokenMs(state: DrainState, kind: 'live' | 'backlog'): number {
  const missing = Math.max(0, 1 - (kind === 'live' ? state.live : state.backlog));
  return state.atMs + missing / (kind === 'live' ? LIVE_PER_MS : backlogRate(state));
}
