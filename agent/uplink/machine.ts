/**
 * When the camera connects to its broker: a pure function of state, input, time and one random number, which returns
 * the next state and the effects to run.
 *
 * The width of the first window limits how many cameras return at the same moment; a cap on later retries does not. After
 * a short outage a million cameras with full jitter from 1 s to 120 s make 160,000 connects a second; with one window of
 * 300 s they make 3,700.
 */

/**
 * - `boot`: not started; waits for `start`.
 * - `spread`: waits for the first attempt after a boot or a loss, at a random point of the window.
 * - `connecting`: an attempt is under way.
 * - `probation`: connected, but not yet for long enough, or without a receipt.
 * - `stable`: connected, and earlier failures are forgotten.
 * - `wait`: waits for the next attempt after one that failed.
 * - `auth-hold`: waits for longer, because the broker refused the credentials or gave the session to another client.
 * - `stopped`: final.
 */
export type Phase = 'boot' | 'spread' | 'connecting' | 'probation' | 'stable' | 'wait' | 'auth-hold' | 'stopped';

export interface UplinkSettings {
  readonly initialWindowMs: number;
  readonly connectTimeoutMs: number;
}

export interface UplinkState {
  readonly phase: Phase;
  /** The window, W: the time over which a fleet of this size spreads its reconnects. */
  readonly windowMs: number;
  /** The window in use now: doubled by a busy broker, replaced by a hint. */
  readonly effectiveWindowMs: number;
  /** Length of the next auth-hold. */
  readonly authHoldMs: number;
  /** Minimum time between two records of the backlog, as the cloud set it; null until it does. */
  readonly drainIntervalMs: number | null;
  readonly protocol: 5 | 4;
  /** When this phase ends by itself, on the monotonic clock; null if only an input ends it. */
  readonly dueMs: number | null;
  readonly connectedAtMs: number | null;
  /** Whether a receipt came over this connection. */
  readonly hasReceipt: boolean;
  readonly isClaimWindowOpen: boolean;
  /** All attempts since the program started, for the health record. */
  readonly attempts: number;
}

export type RefusalKind = 'credentials' | 'protocol' | 'busy' | 'other';

/** Timing that a broker or the cloud requests of a camera. */
export interface ServerHints {
  readonly windowMs?: number;
  readonly retryAfterMs?: number;
  readonly drainIntervalMs?: number;
}

/** Why a connection or an attempt ended. `busy` and `credentials` are reasons that the broker gave when it ended it. */
export type CloseCause = 'lost' | 'taken-over' | 'failed' | 'dropped' | 'busy' | 'credentials';

export type UplinkInput =
  | { readonly type: 'start' }
  /** The due time of the state has passed. */
  | { readonly type: 'timer' }
  | { readonly type: 'opened'; readonly hints: ServerHints }
  | { readonly type: 'refused'; readonly kind: RefusalKind; readonly hints: ServerHints }
  | { readonly type: 'closed'; readonly cause: CloseCause; readonly hints?: ServerHints }
  | { readonly type: 'receipt'; readonly hints: ServerHints }
  | { readonly type: 'claim-window'; readonly open: boolean }
  | { readonly type: 'stop' };

export type UplinkEffect =
  | { readonly type: 'connect'; readonly protocol: 5 | 4 }
  /** Ends the socket of the current attempt or connection, if there is one. */
  | { readonly type: 'disconnect' }
  | { readonly type: 'report'; readonly event: UplinkReport };

export type UplinkReport = 'auth-hold' | 'protocol-fallback' | 'connect-timeout' | 'stable';

/** What a step may use besides state and input. */
export interface StepContext {
  readonly settings: UplinkSettings;
  /** Monotonic time. */
  readonly nowMs: number;
  /** A random number in [0, 1); no step needs more than one. */
  readonly uniform: number;
}

export interface UplinkStep {
  readonly state: UplinkState;
  readonly effects: readonly UplinkEffect[];
}

export const WINDOW_MIN_MS = 5000;
export const WINDOW_MAX_MS = 900_000;
/** A wait is drawn from `1 ± JITTER_SHARE` times its base. */
const JITTER_SHARE = 0.25;
const AUTH_HOLD_MIN_MS = 15 * 60_000;
const AUTH_HOLD_MAX_MS = 6 * 3_600_000;
const PROBATION_MIN_MS = 60_000;
/** Replaces the window while the claim window is open: a person stands at the camera and waits. */
const CLAIM_RETRY_MS = 10_000;

/** Returns the state of a camera without a stored one. */
export function initialState(settings: UplinkSettings): UplinkState {
  return {
    phase: 'boot',
    windowMs: settings.initialWindowMs,
    effectiveWindowMs: settings.initialWindowMs,
    authHoldMs: AUTH_HOLD_MIN_MS,
    drainIntervalMs: null,
    protocol: 5,
    dueMs: null,
    connectedAtMs: null,
    hasReceipt: false,
    isClaimWindowOpen: false,
    attempts: 0,
  };
}

function clampWindow(windowMs: number): number {
  return Math.min(WINDOW_MAX_MS, Math.max(WINDOW_MIN_MS, windowMs));
}

/** How long a connection must last, and bring a receipt, before earlier failures are forgotten. */
export function probationMs(windowMs: number): number {
  return Math.max(PROBATION_MIN_MS, windowMs / 4);
}

/**
 * Returns the state after `input`, and the effects to run in their order. An input that does not fit the phase changes
 * nothing.
 */
export function step(state: UplinkState, input: UplinkInput, context: StepContext): UplinkStep {
  const { nowMs } = context;
  if (state.phase === 'stopped') return unchanged(state);
  switch (input.type) {
    case 'start':
      return state.phase === 'boot' ? onStart(state, context) : unchanged(state);
    case 'timer':
      return state.dueMs !== null && nowMs >= state.dueMs ? onDue(state, context) : unchanged(state);
    case 'opened':
      return state.phase === 'connecting' ? onOpened(withHints(state, input.hints), nowMs) : unchanged(state);
    case 'refused':
      return state.phase === 'connecting' ? onRefused(withHints(state, input.hints), input, context) : unchanged(state);
    case 'closed':
      return onClosed(state, input, context);
    case 'receipt':
      return endProbation({ ...withHints(state, input.hints), hasReceipt: true }, nowMs);
    case 'claim-window':
      return onClaimWindow(state, input.open, context);
    case 'stop':
      return { state: { ...state, phase: 'stopped', dueMs: null }, effects: [{ type: 'disconnect' }] };
  }
}

function unchanged(state: UplinkState): UplinkStep {
  return { state, effects: [] };
}

function onStart(state: UplinkState, context: StepContext): UplinkStep {
  if (state.isClaimWindowOpen) return connect(state, context);
  // After a restart of the process the interrupted wait continues; without one, a boot is spread like any outage. A
  // kept
  // wait longer than the longest hold comes from a damaged file, and a camera that honoured it would never return.
  const leftMs = (state.dueMs ?? context.nowMs) - context.nowMs;
  if (leftMs > 0 && leftMs <= AUTH_HOLD_MAX_MS) return unchanged({ ...state, phase: 'wait' });
  return unchanged(spread(state, context));
}

function onDue(state: UplinkState, context: StepContext): UplinkStep {
  switch (state.phase) {
    case 'spread':
    case 'wait':
    case 'auth-hold':
      return connect(state, context);
    case 'connecting':
      return {
        state: wait(state, context),
        effects: [{ type: 'disconnect' }, { type: 'report', event: 'connect-timeout' }],
      };
    case 'probation':
      return endProbation(state, context.nowMs);
    case 'boot':
    case 'stable':
    case 'stopped':
      return unchanged(state);
  }
}

function connect(state: UplinkState, { settings, nowMs }: StepContext): UplinkStep {
  return {
    state: {
      ...state,
      phase: 'connecting',
      dueMs: nowMs + settings.connectTimeoutMs,
      connectedAtMs: null,
      hasReceipt: false,
      attempts: state.attempts + 1,
    },
    effects: [{ type: 'connect', protocol: state.protocol }],
  };
}

function onOpened(state: UplinkState, nowMs: number): UplinkStep {
  return {
    state: { ...state, phase: 'probation', connectedAtMs: nowMs, dueMs: nowMs + probationMs(state.windowMs) },
    effects: [],
  };
}

/** Probation ends when its time has passed and a receipt has come, whichever is later. */
function endProbation(state: UplinkState, nowMs: number): UplinkStep {
  if (state.phase !== 'probation' || state.connectedAtMs === null) return unchanged(state);
  const endsMs = state.connectedAtMs + probationMs(state.windowMs);
  if (nowMs < endsMs) return unchanged({ ...state, dueMs: endsMs });
  if (!state.hasReceipt) return unchanged({ ...state, dueMs: null });
  return {
    state: {
      ...state,
      phase: 'stable',
      dueMs: null,
      effectiveWindowMs: state.windowMs,
      authHoldMs: AUTH_HOLD_MIN_MS,
    },
    effects: [{ type: 'report', event: 'stable' }],
  };
}

function onRefused(
  state: UplinkState,
  { kind, hints }: Extract<UplinkInput, { type: 'refused' }>,
  context: StepContext,
): UplinkStep {
  const end: UplinkEffect = { type: 'disconnect' };
  switch (kind) {
    case 'credentials':
      return authHold(state, context);
    case 'protocol': {
      // Both versions were refused, or the broker no longer speaks 3.1.1: the next attempt uses MQTT 5 again.
      if (state.protocol === 4) return { state: wait({ ...state, protocol: 5 }, context), effects: [end] };
      const next = connect({ ...state, protocol: 4 }, context);
      return { ...next, effects: [end, { type: 'report', event: 'protocol-fallback' }, ...next.effects] };
    }
    case 'busy':
      return { state: wait(withBusyWindow(state, hints), context), effects: [end] };
    case 'other':
      return { state: wait(state, context), effects: [end] };
  }
}

function onClosed(
  before: UplinkState,
  { cause, hints = {} }: Extract<UplinkInput, { type: 'closed' }>,
  context: StepContext,
): UplinkStep {
  const state = withHints(before, hints);
  switch (state.phase) {
    case 'connecting':
    case 'probation':
    case 'stable': {
      if (cause === 'taken-over' || cause === 'credentials') return authHold(state, context);
      const effects: UplinkEffect[] = [{ type: 'disconnect' }];
      if (cause === 'busy') return { state: wait(withBusyWindow(state, hints), context), effects };
      const isAttempt = state.phase === 'connecting';
      return { state: isAttempt ? wait(state, context) : spread(state, context), effects };
    }
    case 'boot':
    case 'spread':
    case 'wait':
    case 'auth-hold':
    case 'stopped':
      return unchanged(before);
  }
}

function onClaimWindow(before: UplinkState, open: boolean, context: StepContext): UplinkStep {
  const state = { ...before, isClaimWindowOpen: open };
  return open && isWaiting(state) ? connect(state, context) : unchanged(state);
}

/** Whether the machine waits for the time of its next attempt. */
export function isWaiting({ phase }: UplinkState): boolean {
  return phase === 'spread' || phase === 'wait' || phase === 'auth-hold';
}

/** Waits for the first attempt after a boot or a loss: uniform over the window. */
function spread(state: UplinkState, { nowMs, uniform }: StepContext): UplinkState {
  const spanMs = state.isClaimWindowOpen ? CLAIM_RETRY_MS : Math.max(state.windowMs, state.effectiveWindowMs);
  return { ...state, phase: 'spread', dueMs: nowMs + spreadMs(spanMs, uniform), connectedAtMs: null };
}

/** Waits for a later attempt. */
function wait(state: UplinkState, { nowMs, uniform }: StepContext): UplinkState {
  const baseMs = state.isClaimWindowOpen ? CLAIM_RETRY_MS : state.effectiveWindowMs;
  return { ...state, phase: 'wait', dueMs: nowMs + retryMs(baseMs, uniform), connectedAtMs: null };
}

function authHold(state: UplinkState, { nowMs, uniform }: StepContext): UplinkStep {
  const baseMs = Math.min(state.authHoldMs, AUTH_HOLD_MAX_MS / (1 + JITTER_SHARE));
  return {
    state: {
      ...state,
      phase: 'auth-hold',
      dueMs: nowMs + jittered(baseMs, uniform),
      connectedAtMs: null,
      authHoldMs: Math.min(AUTH_HOLD_MAX_MS, 2 * state.authHoldMs),
    },
    effects: [{ type: 'disconnect' }, { type: 'report', event: 'auth-hold' }],
  };
}

/** Returns the wait for the first attempt after a loss: uniform over the window. */
export function spreadMs(windowMs: number, uniform: number): number {
  return windowMs * uniform;
}

/** Returns the wait for a later attempt. The base is capped below the maximum, so that the jitter does not vanish at it. */
export function retryMs(effectiveWindowMs: number, uniform: number): number {
  return jittered(Math.min(WINDOW_MAX_MS / (1 + JITTER_SHARE), effectiveWindowMs), uniform);
}

function jittered(baseMs: number, uniform: number): number {
  return baseMs * (1 - JITTER_SHARE + 2 * JITTER_SHARE * uniform);
}

function withHints(state: UplinkState, { windowMs, drainIntervalMs }: ServerHints): UplinkState {
  const paced = { ...state, drainIntervalMs: drainIntervalMs ?? state.drainIntervalMs };
  if (windowMs === undefined) return paced;
  return { ...paced, windowMs: clampWindow(windowMs), effectiveWindowMs: clampWindow(windowMs) };
}

/**
 * The window after a busy broker: the time it requests; else the window it sent, which {@link withHints} has stored
 * already; else twice the window in use.
 */
function withBusyWindow(state: UplinkState, { retryAfterMs, windowMs }: ServerHints): UplinkState {
  if (windowMs !== undefined && retryAfterMs === undefined) return state;
  return { ...state, effectiveWindowMs: busyWindowMs(state.effectiveWindowMs, retryAfterMs) };
}

/** Returns the window after a busy answer: the time that it asks for, else twice the window in use. */
export function busyWindowMs(effectiveWindowMs: number, retryAfterMs?: number): number {
  return clampWindow(retryAfterMs ?? 2 * effectiveWindowMs);
}

/**
 * Bounds a window read from a file, which may hold anything. An initial window shorter than any a broker may set, as in
 * the demo, remains the lower bound.
 */
function withinWindow({ initialWindowMs }: UplinkSettings, windowMs: number): number {
  return Math.min(WINDOW_MAX_MS, Math.max(Math.min(WINDOW_MIN_MS, initialWindowMs), windowMs));
}

/** What outlives the process. Monotonic times count only within one boot. */
export interface PersistedUplink {
  readonly boot: string;
  readonly windowMs: number;
  readonly effectiveWindowMs: number;
  readonly authHoldMs: number;
  readonly drainIntervalMs: number | null;
  readonly protocol: 5 | 4;
  readonly dueMs: number | null;
}

/** Returns the part of a state to store. */
export function persistedOf(state: UplinkState, boot: string): PersistedUplink {
  const { windowMs, effectiveWindowMs, authHoldMs, drainIntervalMs, protocol, dueMs } = state;
  return {
    boot,
    windowMs,
    effectiveWindowMs,
    authHoldMs,
    drainIntervalMs,
    protocol,
    // The due time of `connecting` or `probation` is a time limit, not a wait to keep.
    dueMs: isWaiting(state) ? dueMs : null,
  };
}

/** Returns the state to start from after a restart; every value of the file is brought within its bounds. */
export function restoredState(settings: UplinkSettings, kept: PersistedUplink | null, boot: string): UplinkState {
  const fresh = initialState(settings);
  if (kept === null) return fresh;
  const { drainIntervalMs, protocol } = kept;
  return {
    ...fresh,
    drainIntervalMs,
    protocol,
    dueMs: kept.boot === boot ? kept.dueMs : null,
    windowMs: withinWindow(settings, kept.windowMs),
    effectiveWindowMs: withinWindow(settings, kept.effectiveWindowMs),
    authHoldMs: Math.min(AUTH_HOLD_MAX_MS, Math.max(AUTH_HOLD_MIN_MS, kept.authHoldMs)),
  };
}
