import { describe, expect, it } from 'vitest';
import { restoredState, step, type UplinkEffect, type UplinkState } from '../../../../agent/uplink/machine.js';
import {
  REAL,
  SETTINGS,
  walk,
  walkAll,
  type Machine,
  type Property,
  type WalkStep,
} from '../../../support/worlds/uplink-walk.js';

/**
 * The bounds of the design, repeated here on purpose: the machine's results are checked against them, not its
 * constants.
 */
const MINUTE_MS = 60_000;
const WINDOW_MAX_MS = 15 * MINUTE_MS;
const HOLD_MIN_MS = 15 * MINUTE_MS;
const HOLD_MAX_MS = 6 * 60 * MINUTE_MS;
const CLAIM_MS = 10_000;
const ROUNDING_MS = 1e-3;

const WAITING: readonly UplinkState['phase'][] = ['spread', 'wait', 'auth-hold'];
const isWaiting = ({ phase }: UplinkState): boolean => WAITING.includes(phase);
/** Whether a new wait started. One that was kept over a restart was checked before it. */
const startsWait = ({ before, after, input }: WalkStep): boolean =>
  isWaiting(after) &&
  (input.type !== 'start' || before.dueMs === null) &&
  (after.phase !== before.phase || after.dueMs !== before.dueMs);

/** Returns the minimum and maximum of a wait in this phase. */
function boundsOf(before: UplinkState, after: UplinkState): readonly [number, number] {
  const around = (baseMs: number, maxMs: number): readonly [number, number] => [
    0.75 * Math.min(baseMs, maxMs / 1.25),
    Math.min(1.25 * baseMs, maxMs),
  ];
  if (after.phase === 'auth-hold') return around(Math.max(HOLD_MIN_MS, before.authHoldMs), HOLD_MAX_MS);
  if (after.phase === 'wait')
    return around(after.isClaimWindowOpen ? CLAIM_MS : after.effectiveWindowMs, WINDOW_MAX_MS);
  return [0, after.isClaimWindowOpen ? CLAIM_MS : Math.max(after.windowMs, after.effectiveWindowMs)];
}

const PROPERTIES: Readonly<Record<string, Property>> = {
  'every state is left': ({ before, after, hasSocket, isStarted, input }) => {
    if (after.phase === 'stopped')
      return input.type === 'stop' || before.phase === 'stopped' ? null : 'it stopped by itself';
    if (after.phase === 'boot') return isStarted ? 'started, and still in boot' : null;
    if (after.dueMs !== null) return Number.isFinite(after.dueMs) ? null : 'a timer that never fires';
    // An open connection ends by the keep-alive, or by the time limit of an acknowledgement.
    const isHeld = hasSocket && (after.phase === 'probation' || after.phase === 'stable');
    return isHeld ? null : `${after.phase} without a timer`;
  },
  'one socket at most': ({ after, hasSocket, doubled }) => {
    if (doubled > 0) return 'a second socket was opened';
    const needsOne = after.phase === 'connecting' || after.phase === 'probation' || after.phase === 'stable';
    return needsOne === hasSocket ? null : `${after.phase} ${hasSocket ? 'with' : 'without'} a socket`;
  },
  'every wait is within its bounds': (seen) => {
    const { before, after, nowMs } = seen;
    if (after.phase === 'connecting' && (after.dueMs ?? Infinity) > nowMs + SETTINGS.connectTimeoutMs) {
      return 'an attempt without a time limit';
    }
    if (!startsWait(seen) || seen.input.type === 'restart') return null;
    const waitMs = (after.dueMs ?? Infinity) - nowMs;
    const [minMs, maxMs] = boundsOf(before, after);
    const isInside = waitMs >= minMs - ROUNDING_MS && waitMs <= maxMs + ROUNDING_MS;
    return isInside ? null : `${after.phase} for ${String(waitMs)} ms, expected ${String(minMs)} to ${String(maxMs)}`;
  },
  'every wait has jitter': (seen) => {
    const { machine, before, input, nowMs, after } = seen;
    if (!startsWait(seen) || input.type === 'restart') return null;
    const [minMs, maxMs] = boundsOf(before, after);
    const dueOf = (uniform: number): number =>
      machine.step(before, input, { settings: SETTINGS, nowMs, uniform }).state.dueMs ?? NaN;
    const first = dueOf(0);
    const middle = dueOf(0.5);
    const last = dueOf(1 - Number.EPSILON);
    const isSpread = last - first >= 0.99 * (maxMs - minMs) && Math.abs(middle - (first + last) / 2) <= 1;
    return isSpread ? null : `${after.phase}: the draws lie within ${String(last - first)} ms`;
  },
  'it connects when due, for a claim, or once with 3.1.1': ({ before, nowMs, input, effects }) => {
    if (!effects.some(({ type }) => type === 'connect')) return null;
    if (input.type === 'timer') return isWaiting(before) && nowMs >= (before.dueMs ?? Infinity) ? null : 'too early';
    if (input.type === 'claim-window' || input.type === 'start')
      return before.isClaimWindowOpen || input.type !== 'start' ? null : 'at the start';
    return input.type === 'refused' && input.kind === 'protocol' && before.protocol === 5 ? null : `at ${input.type}`;
  },
  'a restart shortens no wait': ({ input, before, after }) =>
    input.type === 'restart' && input.sameBoot && isWaiting(before) && after.dueMs !== before.dueMs
      ? 'it forgot its wait'
      : null,
  'W is within its bounds': ({ after }) =>
    after.windowMs >= 5000 &&
    after.windowMs <= WINDOW_MAX_MS &&
    after.effectiveWindowMs >= 5000 &&
    after.effectiveWindowMs <= WINDOW_MAX_MS
      ? null
      : `W ${String(after.windowMs)}, effective ${String(after.effectiveWindowMs)}`,
  'earlier failures are forgotten only after probation': ({ before, after, input }) =>
    after.authHoldMs < before.authHoldMs && input.type !== 'restart' && after.phase !== 'stable'
      ? 'a hold was shortened'
      : null,
};

type Step = typeof step;
const withBug = (change: (real: ReturnType<Step>, ...args: Parameters<Step>) => ReturnType<Step>): Machine => ({
  ...REAL,
  step: (...args) => change(step(...args), ...args),
});
const without = (effects: readonly UplinkEffect[], type: UplinkEffect['type']): readonly UplinkEffect[] =>
  effects.filter((effect) => effect.type !== type);

/** For each property a planted bug, of a kind that a change of the machine could bring. */
const PLANTED_BUGS: readonly (readonly [bug: string, property: string, Machine])[] = [
  [
    'a lost connection leaves no timer',
    'every state is left',
    withBug((real, before, { type }) =>
      type === 'closed' && before.phase === 'stable' ? { ...real, state: { ...real.state, dueMs: null } } : real,
    ),
  ],
  [
    'it stops for good after refused credentials',
    'every state is left',
    withBug((real) =>
      real.state.phase === 'auth-hold' ? { ...real, state: { ...real.state, phase: 'stopped' } } : real,
    ),
  ],
  [
    'an attempt that timed out is left open',
    'one socket at most',
    withBug((real, { phase }, { type }) =>
      phase === 'connecting' && type === 'timer' ? { ...real, effects: without(real.effects, 'disconnect') } : real,
    ),
  ],
  [
    'the jitter exceeds the maximum',
    'every wait is within its bounds',
    withBug((real, before, _input, { nowMs }) =>
      real.state.phase === 'wait' && before.phase !== 'wait' && real.state.effectiveWindowMs === WINDOW_MAX_MS
        ? { ...real, state: { ...real.state, dueMs: ((real.state.dueMs ?? 0) - nowMs) * 1.25 + nowMs } }
        : real,
    ),
  ],
  [
    'every camera draws the same number',
    'every wait has jitter',
    { ...REAL, step: (state, input, context) => step(state, input, { ...context, uniform: 0.5 }) },
  ],
  [
    'the jitter vanishes at the maximum',
    'every wait has jitter',
    {
      ...REAL,
      step: (state, input, context) =>
        step(state, input, state.effectiveWindowMs === WINDOW_MAX_MS ? { ...context, uniform: 0.5 } : context),
    },
  ],
  [
    'a repeated close connects immediately',
    'it connects when due, for a claim, or once with 3.1.1',
    withBug((real, before, { type }, context) =>
      type === 'closed' && before.phase === 'wait'
        ? step({ ...before, dueMs: context.nowMs }, { type: 'timer' }, { ...context, uniform: 0 })
        : real,
    ),
  ],
  [
    'a crash loop restarts its wait each time',
    'a restart shortens no wait',
    { ...REAL, restore: (settings, kept, boot) => ({ ...restoredState(settings, kept, boot), dueMs: null }) },
  ],
  [
    'hints are not clamped',
    'W is within its bounds',
    withBug((real, _before, input) =>
      input.type === 'receipt' && input.hints.windowMs !== undefined
        ? { ...real, state: { ...real.state, windowMs: input.hints.windowMs } }
        : real,
    ),
  ],
  [
    'a CONNACK is enough to forget a refusal',
    'earlier failures are forgotten only after probation',
    withBug((real, _before, { type }) =>
      type === 'opened' && real.state.phase === 'probation'
        ? { ...real, state: { ...real.state, authHoldMs: HOLD_MIN_MS } }
        : real,
    ),
  ],
];

describe('properties of the uplink machine, on random walks', () => {
  it('hold on every walk', () => {
    walkAll(400, 250, PROPERTIES);
  });

  it('are checked in every phase', () => {
    const phases = new Set<string>();
    walkAll(20, 250, {
      phases: ({ after }) => {
        phases.add(after.phase);
        return null;
      },
    });
    expect([...phases].sort()).toEqual([
      'auth-hold',
      'boot',
      'connecting',
      'probation',
      'spread',
      'stable',
      'stopped',
      'wait',
    ]);
  });

  it.each(PLANTED_BUGS)('notices that %s', (_bug, property, machine) => {
    const only = { [property]: PROPERTIES[property] ?? (() => null) };
    const found = Array.from({ length: 400 }, (_, seed) => walk(seed + 1, 250, only, machine)).find(
      (one) => one !== null,
    );
    expect(found?.property).toBe(property);
    // The printed seed repeats the failure.
    expect(walk(found?.seed ?? 0, 250, only, machine)).toEqual(found);
    expect(() => walkAll(400, 250, only, machine)).toThrow(`seed ${String(found?.seed)}, step ${String(found?.step)}`);
  });
});
