/**
 * When the camera connects. A pure function: now, input and a random number in; state and effects out.
 * The first window, not a cap on retries, sets the height of a herd: a million cameras with full jitter from 1 s to 120 s make
 * 160,000 connects a second after a short outage, one window of 300 s makes 3,700.
 */

export type Phase = 'boot' | 'spread' | 'connecting' | 'probation' | 'stable' | 'wait' | 'auth-hold' | 'stopped';

export interface UplinkSettings {
  readonly initialWindowMs: number;
  readonly connectTimeoutMs: number;
}

export interface UplinkState {
  readonly phase: Phase;
  /** W: over how long a fleet of this size spreads its return. */
  readonly windowMs: number;
  /** W as it is used now: doubled by a busy broker, replaced by a hint. */
  readonly effectiveWindowMs: number;
  readonly authHoldMs: number;
  /** Told by the cloud: least time between two records of the backlog. Null until told. */
  readonly drainIntervalMs: number | null;
  readonly protocol: 5 | 4;
  /** When this phase ends by itself, on the monotonic clock; null while connected. */
  readonly dueMs: number | null;
  readonly connectedAtMs: number | null;
  readonly hasReceipt: boolean;
  readonly isClaimWindowOpen: boolean;
  /** All attempts since the program started, for the health record. */
  readonly attempts: number;
}

export type RefusalKind = 'credentials' | 'protocol' | 'busy' | 'other';

export interface ServerHints {
  readonly windowMs?: number;
  readonly retryAfterMs?: number;
  readonly drainIntervalMs?: number;
}

/** Why a connection, or an attempt, ended: the last two are what the broker said when it ended it. */
export type CloseCause = 'lost' | 'taken-over' | 'failed' | 'dropped' | 'busy' | 'credentials';

export type UplinkInput =
  | { readonly type: 'start' }
  | { readonly type: 'timer' }
  | { readonly type: 'opened'; readonly hints: ServerHints }
  | { readonly type: 'refused'; readonly kind: RefusalKind; readonly hints: ServerHints }
  /** The connection, or the attempt, ended. */
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

export interface UplinkStep {
  readonly state: UplinkState;
  readonly effects: readonly UplinkEffect[];
}

export const WINDOW_MIN_MS = 5000;
export const WINDOW_MAX_MS = 900_000;
const JITTER = 0.25;
const AUTH_HOLD_MIN_MS = 15 * 60_000;
const AUTH_HOLD_MAX_MS = 6 * 3_600_000;
const PROBATION_MIN_MS = 60_000;
/** Somebody stands at the camera and waits. */
const CLAIM_RETRY_MS = 10_000;

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

export function clampWindow(windowMs: number): number {
  return Math.min(WINDOW_MAX_MS, Math.max(WINDOW_MIN_MS, windowMs));
}

/** How long a connection must hold, with a receipt, before the past is forgotten. */
export function probationMs(windowMs: number): number {
  return Math.max(PROBATION_MIN_MS, windowMs / 4);
}

/** `uniform` in [0, 1); one number is enough for any step. */
export function step(
  settings: UplinkSettings,
  state: UplinkState,
  nowMs: number,
  input: UplinkInput,
  uniform: number,
): UplinkStep {
  if (state.phase === 'stopped') return { state, effects: [] };
  switch (input.type) {
    case 'start':
      return state.phase === 'boot' ? onStart(settings, state, nowMs, uniform) : { state, effects: [] };
    case 'timer':
      return state.dueMs !== null && nowMs >= state.dueMs
        ? onDue(settings, state, nowMs, uniform)
        : { state, effects: [] };
    case 'opened':
      return state.phase === 'connecting' ? onOpened(withHints(state, input.hints), nowMs) : { state, effects: [] };
    case 'refused':
      return state.phase === 'connecting'
        ? onRefused(settings, withHints(state, input.hints), nowMs, input, uniform)
        : { state, effects: [] };
    case 'closed':
      return onClosed(state, nowMs, input, uniform);
    case 'receipt':
      return backToStable({ ...withHints(state, input.hints), hasReceipt: true }, nowMs);
    case 'claim-window':
      return onClaimWindow(settings, state, nowMs, input.open);
    case 'stop':
      return { state: { ...state, phase: 'stopped', dueMs: null }, effects: [{ type: 'disconnect' }] };
  }
}

function onStart(settings: UplinkSettings, state: UplinkState, nowMs: number, uniform: number): UplinkStep {
  if (state.isClaimWindowOpen) return connect(settings, state, nowMs);
  // A restart of the process keeps the wait it was in; without one the boot is like any outage. No wait is longer than
  // the longest hold: what says so is a broken file, and a camera that believed it would never come back.
  const leftMs = (state.dueMs ?? nowMs) - nowMs;
  if (leftMs > 0 && leftMs <= AUTH_HOLD_MAX_MS) return { state: { ...state, phase: 'wait' }, effects: [] };
  return { state: spread(state, nowMs, uniform), effects: [] };
}

function onDue(settings: UplinkSettings, state: UplinkState, nowMs: number, uniform: number): UplinkStep {
  switch (state.phase) {
    case 'spread':
    case 'wait':
    case 'auth-hold':
      return connect(settings, state, nowMs);
    case 'connecting':
      return {
        state: wait(state, nowMs, uniform),
        effects: [{ type: 'disconnect' }, { type: 'report', event: 'connect-timeout' }],
      };
    case 'probation':
      return backToStable(state, nowMs);
    case 'boot':
    case 'stable':
    case 'stopped':
      return { state, effects: [] };
  }
}

function connect(settings: UplinkSettings, state: UplinkState, nowMs: number): UplinkStep {
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

/** Out of probation once the time has passed and a receipt has come; whichever is later. */
function backToStable(state: UplinkState, nowMs: number): UplinkStep {
  if (state.phase !== 'probation' || state.connectedAtMs === null) return { state, effects: [] };
  const endsMs = state.connectedAtMs + probationMs(state.windowMs);
  if (nowMs < endsMs) return { state: { ...state, dueMs: endsMs }, effects: [] };
  if (!state.hasReceipt) return { state: { ...state, dueMs: null }, effects: [] };
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
  settings: UplinkSettings,
  state: UplinkState,
  nowMs: number,
  { kind, hints }: Extract<UplinkInput, { type: 'refused' }>,
  uniform: number,
): UplinkStep {
  const end: UplinkEffect = { type: 'disconnect' };
  switch (kind) {
    case 'credentials':
      return authHold(state, nowMs, uniform);
    case 'protocol': {
      // A broker that takes neither, or one that has left 3.1.1 behind: the next attempt is with MQTT 5 again.
      if (state.protocol === 4) return { state: wait({ ...state, protocol: 5 }, nowMs, uniform), effects: [end] };
      const next = connect(settings, { ...state, protocol: 4 }, nowMs);
      return { ...next, effects: [end, { type: 'report', event: 'protocol-fallback' }, ...next.effects] };
    }
    case 'busy':
      return { state: wait(slower(state, hints), nowMs, uniform), effects: [end] };
    case 'other':
      return { state: wait(state, nowMs, uniform), effects: [end] };
  }
}

function onClosed(
  before: UplinkState,
  nowMs: number,
  { cause, hints = {} }: Extract<UplinkInput, { type: 'closed' }>,
  uniform: number,
): UplinkStep {
  const state = withHints(before, hints);
  switch (state.phase) {
    case 'connecting':
    case 'probation':
    case 'stable': {
      if (cause === 'taken-over' || cause === 'credentials') return authHold(state, nowMs, uniform);
      const effects: UplinkEffect[] = [{ type: 'disconnect' }];
      if (cause === 'busy') return { state: wait(slower(state, hints), nowMs, uniform), effects };
      const isAttempt = state.phase === 'connecting';
      return { state: isAttempt ? wait(state, nowMs, uniform) : spread(state, nowMs, uniform), effects };
    }
    case 'boot':
    case 'spread':
    case 'wait':
    case 'auth-hold':
    case 'stopped':
      return { state: before, effects: [] };
  }
}

function onClaimWindow(settings: UplinkSettings, before: UplinkState, nowMs: number, open: boolean): UplinkStep {
  const state = { ...before, isClaimWindowOpen: open };
  const waits = state.phase === 'spread' || state.phase === 'wait' || state.phase === 'auth-hold';
  return open && waits ? connect(settings, state, nowMs) : { state, effects: [] };
}

/** The first attempt after a boot or a loss: anywhere in the window. */
function spread(state: UplinkState, nowMs: number, uniform: number): UplinkState {
  const span = state.isClaimWindowOpen ? CLAIM_RETRY_MS : Math.max(state.windowMs, state.effectiveWindowMs);
  return { ...state, phase: 'spread', dueMs: nowMs + span * uniform, connectedAtMs: null };
}

/** Later attempts; the jitter stays inside the bound instead of vanishing at it. */
function wait(state: UplinkState, nowMs: number, uniform: number): UplinkState {
  const longest = WINDOW_MAX_MS / (1 + JITTER);
  const base = state.isClaimWindowOpen ? CLAIM_RETRY_MS : Math.min(longest, state.effectiveWindowMs);
  return { ...state, phase: 'wait', dueMs: nowMs + jittered(base, uniform), connectedAtMs: null };
}

function authHold(state: UplinkState, nowMs: number, uniform: number): UplinkStep {
  const base = Math.min(state.authHoldMs, AUTH_HOLD_MAX_MS / (1 + JITTER));
  return {
    state: {
      ...state,
      phase: 'auth-hold',
      dueMs: nowMs + jittered(base, uniform),
      connectedAtMs: null,
      authHoldMs: Math.min(AUTH_HOLD_MAX_MS, 2 * state.authHoldMs),
    },
    effects: [{ type: 'disconnect' }, { type: 'report', event: 'auth-hold' }],
  };
}

function jittered(baseMs: number, uniform: number): number {
  return baseMs * (1 - JITTER + 2 * JITTER * uniform);
}

function withHints(state: UplinkState, { windowMs, drainIntervalMs }: ServerHints): UplinkState {
  const told = { ...state, drainIntervalMs: drainIntervalMs ?? state.drainIntervalMs };
  if (windowMs === undefined) return told;
  return { ...told, windowMs: clampWindow(windowMs), effectiveWindowMs: clampWindow(windowMs) };
}

/** A busy broker: its hint of a time counts, then its window, which is in the state by now; without either, twice as long. */
function slower(state: UplinkState, { retryAfterMs, windowMs }: ServerHints): UplinkState {
  const unhinted = windowMs === undefined ? 2 * state.effectiveWindowMs : state.effectiveWindowMs;
  return { ...state, effectiveWindowMs: clampWindow(retryAfterMs ?? unhinted) };
}

/** A file may hold anything. A window that was set shorter than any that is told, as the demo's, stays as short. */
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

export function persistedOf(state: UplinkState, boot: string): PersistedUplink {
  const { windowMs, effectiveWindowMs, authHoldMs, drainIntervalMs, protocol, phase, dueMs } = state;
  // A due time of `connecting` or `probation` is a time limit, not a wait to keep.
  const isWaiting = phase === 'spread' || phase === 'wait' || phase === 'auth-hold';
  const kept = { boot, windowMs, effectiveWindowMs, authHoldMs, drainIntervalMs, protocol };
  return { ...kept, dueMs: isWaiting ? dueMs : null };
}

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
