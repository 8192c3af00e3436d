/**
 * How fast records leave once the camera is connected. Live records have an allowance of their own and never wait behind
 * the backlog. The backlog leaves through a token bucket that starts empty, so that a returning fleet causes no peak.
 * Pure: time is a parameter.
 */
export interface DrainState {
  /** Tokens for live records. */
  readonly live: number;
  /** Tokens for live records of clips, so that a clip does not keep the pictures of events waiting. */
  readonly clip: number;
  /** Tokens for the backlog. */
  readonly backlog: number;
  readonly atMs: number;
  /** Backlog records per millisecond, by the camera's own measure. */
  readonly rate: number;
  /** Minimum time between two backlog records, as the cloud set it; null until it does. Replaces `rate`. */
  readonly cloudIntervalMs: number | null;
}

const LIVE_BURST = 4;
const LIVE_PER_MS = 2 / 1000;
/** A clip begins with one or two records, and then has one in two to four seconds. */
const CLIP_BURST = 3;
const CLIP_PER_MS = 1 / 1000;
const BACKLOG_BURST = 1;
/** One record in two minutes. */
const BACKLOG_PER_MS_MIN = 1 / 120_000;
/** No camera drains faster than this, however many records it produced. */
const BACKLOG_PER_MS_MAX = 20 / 1000;
/** A camera drains this many times faster than it produces records. */
const OWN_RATE_FACTOR = 5;
const CLOUD_INTERVAL_MAX_MS = 900_000;

/** `ownRate`: records this camera produces per millisecond, on average. */
export function startDrain(nowMs: number, ownRate: number, cloudIntervalMs: number | null): DrainState {
  const rate = Math.min(BACKLOG_PER_MS_MAX, Math.max(BACKLOG_PER_MS_MIN, OWN_RATE_FACTOR * ownRate));
  return { live: LIVE_BURST, clip: CLIP_BURST, backlog: 0, atMs: nowMs, rate, cloudIntervalMs };
}

function backlogPerMs(state: DrainState): number {
  return state.cloudIntervalMs === null ? state.rate : 1 / Math.max(1, state.cloudIntervalMs);
}

/** Adds the tokens of the time that has passed. */
export function refill(state: DrainState, nowMs: number): DrainState {
  const elapsedMs = Math.max(0, nowMs - state.atMs);
  return {
    ...state,
    atMs: nowMs,
    live: Math.min(LIVE_BURST, state.live + elapsedMs * LIVE_PER_MS),
    clip: Math.min(CLIP_BURST, state.clip + elapsedMs * CLIP_PER_MS),
    backlog: Math.min(BACKLOG_BURST, state.backlog + elapsedMs * backlogPerMs(state)),
  };
}

/** Returns the state with one live token less, or null without one. */
export function spendLive(state: DrainState): DrainState | null {
  return state.live >= 1 ? { ...state, live: state.live - 1 } : null;
}

/** Returns the state after a live record of a clip: with one clip token less, without one as {@link spendLive}. */
export function spendClip(state: DrainState): DrainState | null {
  return state.clip >= 1 ? { ...state, clip: state.clip - 1 } : spendLive(state);
}

/** Returns the state with one backlog token less, or null without one. */
export function spendBacklog(state: DrainState): DrainState | null {
  return state.backlog >= 1 ? { ...state, backlog: state.backlog - 1 } : null;
}

/** Halves the rate of the backlog, after the broker answered "quota exceeded". */
export function slowDown(state: DrainState): DrainState {
  if (state.cloudIntervalMs !== null) {
    return { ...state, cloudIntervalMs: Math.min(CLOUD_INTERVAL_MAX_MS, state.cloudIntervalMs * 2) };
  }
  return { ...state, rate: Math.max(BACKLOG_PER_MS_MIN, state.rate / 2), backlog: 0 };
}

/** Replaces the camera's own rate by the cloud's minimum interval. */
export function withCloudInterval(state: DrainState, intervalMs: number): DrainState {
  return { ...state, cloudIntervalMs: intervalMs };
}

/** Returns when the next token of this kind will be there. */
export function nextTokenMs(state: DrainState, kind: 'live' | 'backlog'): number {
  const missing = Math.max(0, 1 - (kind === 'live' ? state.live : state.backlog));
  return state.atMs + missing / (kind === 'live' ? LIVE_PER_MS : backlogPerMs(state));
}
