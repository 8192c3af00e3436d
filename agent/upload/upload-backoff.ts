import { busyWindowMs, retryMs, spreadMs } from '../uplink/machine.js';

/** Why no upload begins for a while: an answer that asks for less, or no useful one. */
export type UploadFailure = 'busy' | 'failed';

/** The wait after failed uploads. It has no window of its own: it is the uplink's, widened and jittered as the machine does. */
export interface BackoffState {
  readonly failures: number;
  /** Null after a success: the machine's window counts. */
  readonly effectiveWindowMs: number | null;
  readonly dueMs: number;
}

export const READY: BackoffState = { failures: 0, effectiveWindowMs: null, dueMs: -Infinity };

/** Returns the state after a failure. What fails while a wait is running belongs to the same failure. */
export function afterFailure(
  state: BackoffState,
  failure: UploadFailure,
  context: { readonly nowMs: number; readonly windowMs: number; readonly uniform: number },
  retryAfterMs?: number,
): BackoffState {
  const { nowMs, windowMs, uniform } = context;
  const beforeMs = state.effectiveWindowMs ?? windowMs;
  if (nowMs < state.dueMs && retryAfterMs === undefined) return state;
  const effectiveWindowMs = failure === 'busy' ? busyWindowMs(beforeMs, retryAfterMs) : beforeMs;
  const isFirst = state.failures === 0 && failure === 'failed';
  const waitMs = isFirst ? spreadMs(effectiveWindowMs, uniform) : retryMs(effectiveWindowMs, uniform);
  return { failures: state.failures + 1, effectiveWindowMs, dueMs: Math.max(state.dueMs, nowMs + waitMs) };
}
