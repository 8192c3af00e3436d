import { seededRandom } from '../../../common/seeded-random.js';
import {
  initialState,
  persistedOf,
  restoredState,
  step,
  type CloseCause,
  type RefusalKind,
  type ServerHints,
  type UplinkEffect,
  type UplinkInput,
  type UplinkSettings,
  type UplinkState,
} from '../../../agent/uplink/machine.js';

export const SETTINGS: UplinkSettings = { initialWindowMs: 300_000, connectTimeoutMs: 20_000 };

/** The machine that walks: the module itself, or one with a planted bug. */
export interface Machine {
  readonly step: typeof step;
  readonly restore: typeof restoredState;
}
export const REAL: Machine = { step, restore: restoredState };

/** One step as a property sees it. A restart of the process is a step too. */
export interface WalkStep {
  readonly machine: Machine;
  readonly input: UplinkInput | { readonly type: 'restart'; readonly sameBoot: boolean };
  readonly before: UplinkState;
  readonly after: UplinkState;
  readonly nowMs: number;
  readonly effects: readonly UplinkEffect[];
  readonly hadSocket: boolean;
  readonly hasSocket: boolean;
  /** Sockets that were opened while another was open. */
  readonly doubled: number;
  readonly isStarted: boolean;
}

/** Returns what is wrong, or null. */
export type Property = (step: WalkStep) => string | null;

type Pick = <T>(from: readonly [T, ...T[]]) => T;

const REFUSALS: readonly [RefusalKind, ...RefusalKind[]] = ['credentials', 'protocol', 'busy', 'other'];
const CAUSES: readonly [CloseCause, ...CloseCause[]] = [
  'lost',
  'taken-over',
  'failed',
  'dropped',
  'busy',
  'credentials',
];

function hintsOf(uniform: () => number): ServerHints {
  return {
    ...(uniform() < 0.3 ? { windowMs: uniform() * 2_000_000 } : {}),
    ...(uniform() < 0.3 ? { retryAfterMs: uniform() * 2_000_000 } : {}),
    ...(uniform() < 0.2 ? { drainIntervalMs: uniform() * 900_000 } : {}),
  };
}

/**
 * Returns mostly an input that fits the phase, sometimes one that does not: a real machine also gets late and repeated
 * ones.
 */
function inputFor(phase: UplinkState['phase'], uniform: () => number, pick: Pick): UplinkInput {
  const answers: readonly [UplinkInput, ...UplinkInput[]] = [
    { type: 'opened', hints: hintsOf(uniform) },
    { type: 'refused', kind: pick(REFUSALS), hints: hintsOf(uniform) },
    { type: 'closed', cause: pick(CAUSES), hints: hintsOf(uniform) },
    { type: 'receipt', hints: hintsOf(uniform) },
    { type: 'claim-window', open: uniform() < 0.3 },
    { type: 'start' },
    { type: 'timer' },
  ];
  if (uniform() < 0.2) return pick(answers);
  switch (phase) {
    case 'boot':
      return { type: 'start' };
    case 'connecting':
      return pick([answers[0], answers[1] ?? answers[0], answers[2] ?? answers[0], { type: 'timer' }]);
    case 'probation':
    case 'stable':
      return pick([answers[2] ?? answers[0], answers[3] ?? answers[0], answers[3] ?? answers[0], { type: 'timer' }]);
    case 'spread':
    case 'wait':
    case 'auth-hold':
    case 'stopped':
      return { type: 'timer' };
  }
}

export interface Failure {
  readonly seed: number;
  readonly step: number;
  readonly property: string;
  readonly why: string;
}

/** Walks from a boot through `steps` inputs. Returns the first property that does not hold, or null. */
export function walk(
  seed: number,
  steps: number,
  properties: Readonly<Record<string, Property>>,
  machine: Machine = REAL,
): Failure | null {
  const { uniform } = seededRandom(seed);
  const pick: Pick = (from) => from[Math.floor(uniform() * from.length)] ?? from[0];
  let state = initialState(SETTINGS);
  let nowMs = 1000;
  let hasSocket = false;
  let isStarted = false;
  for (let at = 0; at < steps; at++) {
    // Either to the due time, or by a random step that ends before or after it.
    if (uniform() < 0.6 && state.dueMs !== null && state.dueMs > nowMs) nowMs = state.dueMs;
    else nowMs += uniform() < 0.5 ? 0 : uniform() * 400_000;
    const before = state;
    const hadSocket = hasSocket;
    let doubled = 0;
    let effects: readonly UplinkEffect[] = [];
    let input: WalkStep['input'];
    if (uniform() < 0.02) {
      const sameBoot = uniform() < 0.7;
      input = { type: 'restart', sameBoot };
      state = machine.restore(SETTINGS, persistedOf(before, 'boot'), sameBoot ? 'boot' : 'another');
      hasSocket = false;
      isStarted = false;
    } else {
      input = uniform() < 0.001 ? { type: 'stop' } : inputFor(state.phase, uniform, pick);
      ({ state, effects } = machine.step(before, input, { settings: SETTINGS, nowMs, uniform: uniform() }));
      if (input.type === 'start') isStarted = true;
      for (const { type } of effects) {
        if (type === 'disconnect') hasSocket = false;
        if (type === 'connect' && hasSocket) doubled++;
        if (type === 'connect') hasSocket = true;
      }
    }
    const seen = { machine, input, before, after: state, nowMs, effects, hadSocket, hasSocket, doubled, isStarted };
    for (const [property, holds] of Object.entries(properties)) {
      const why = holds(seen);
      if (why !== null) return { seed, step: at, property, why };
    }
    if (state.phase === 'stopped' && uniform() < 0.3) return null;
  }
  return null;
}

/** Walks once with each seed. @throws Error that names the seed of the first failure */
export function walkAll(
  seeds: number,
  steps: number,
  properties: Readonly<Record<string, Property>>,
  machine: Machine = REAL,
): void {
  for (let seed = 1; seed <= seeds; seed++) {
    const failure = walk(seed, steps, properties, machine);
    if (failure === null) continue;
    throw new Error(
      `seed ${String(seed)}, step ${String(failure.step)}: ${failure.property}: ${failure.why}; repeat with walk(${String(seed)}, …)`,
    );
  }
}
