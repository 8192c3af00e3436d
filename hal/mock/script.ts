import type { Scenario, SceneName } from '../driver-names.js';
import { seededRandom } from '../../common/seeded-random.js';
import type { Applied, Effect } from './effects.js';
import { GOLDEN } from './golden.js';

/** One thing that happens in front of a mock camera. Times are milliseconds from the start of the stream. */
export type Happening =
  | {
      readonly kind: 'person';
      readonly fromMs: number;
      readonly toMs: number;
      /**
       * `cross` walks through the picture, `visit` walks in, stands at the door and leaves the way it came; `stand` does
       * it in a hurry and stands for longer.
       */
      readonly path: 'cross' | 'cross-back' | 'visit' | 'stand';
      readonly look: number;
      /** As a factor of the scene's usual size; 1 where it is missing. */
      readonly size?: number;
    }
  | { readonly kind: 'lamp'; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: 'night'; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: 'effect'; readonly fromMs: number; readonly toMs: number; readonly effect: Effect }
  /** No frame comes. */
  | { readonly kind: 'stall'; readonly fromMs: number; readonly toMs: number }
  /** The wall clock is set forward or back; the monotonic one is not. */
  | { readonly kind: 'clock-jump'; readonly atMs: number; readonly byMs: number }
  /** A frame that is no JPEG. */
  | { readonly kind: 'corrupt'; readonly atMs: number };

export interface SceneScript {
  readonly scene: SceneName;
  readonly seed: number;
  /** Standard deviation of the sensor's noise, in grey levels. */
  readonly noise: number;
  readonly happenings: readonly Happening[];
  /** The script starts anew after this time; null plays it once and then shows the empty scene. */
  readonly repeatMs: number | null;
}

/** The built-in scripts. The same scene, scenario and seed give the same frames, byte for byte. */
export function buildScript(scene: SceneName, scenario: Scenario, seed: number): SceneScript {
  const { uniform } = seededRandom(seed);
  const base = { scene, seed, noise: 2 };
  const look = (): number => Math.floor(uniform() * 2 ** 31);
  const cross = (fromMs: number): Happening => ({
    kind: 'person',
    fromMs,
    toMs: fromMs + 5000 + Math.floor(uniform() * 2000),
    path: uniform() < 0.5 ? 'cross' : 'cross-back',
    look: look(),
  });
  switch (scenario) {
    default: {
      const { noise, happenings, durationMs } = GOLDEN[scenario];
      return { ...base, noise, happenings, repeatMs: durationMs };
    }
    case 'walk': {
      // Ten visits, then again: people vary, and each demo camera starts at its own point of the script.
      const happenings = Array.from({ length: 10 }, (_, i): Happening => {
        const fromMs = 3000 + i * 14_000 + Math.floor(uniform() * 2000);
        if (i % 3 !== 2) return cross(fromMs);
        return { kind: 'person', fromMs, toMs: fromMs + 9000, path: 'visit', look: look() };
      });
      return { ...base, happenings, repeatMs: 145_000 };
    }
    case 'quiet':
      return { ...base, happenings: [], repeatMs: null };
    case 'night':
      return {
        ...base,
        noise: 4,
        happenings: [{ kind: 'night', fromMs: 4000, toMs: 40_000 }, cross(10_000), cross(24_000)],
        repeatMs: null,
      };
    case 'rain':
      return {
        ...base,
        happenings: [{ kind: 'effect', fromMs: 0, toMs: 60_000, effect: { kind: 'rain', drops: 120 } }, cross(12_000)],
        repeatMs: null,
      };
    case 'lamp':
      return {
        ...base,
        happenings: [
          { kind: 'lamp', fromMs: 8000, toMs: 16_000 },
          { kind: 'lamp', fromMs: 24_000, toMs: 40_000 },
          cross(26_000),
        ],
        repeatMs: null,
      };
    case 'stall':
      return {
        ...base,
        happenings: [cross(3000), { kind: 'stall', fromMs: 12_000, toMs: 20_000 }, cross(22_000)],
        repeatMs: null,
      };
    case 'clock-jump':
      return {
        ...base,
        happenings: [
          cross(3000),
          { kind: 'clock-jump', atMs: 5000, byMs: 3_600_000 },
          { kind: 'clock-jump', atMs: 12_000, byMs: -7_200_000 },
          cross(14_000),
        ],
        repeatMs: null,
      };
    case 'corrupt':
      return {
        ...base,
        happenings: [cross(3000), ...[4000, 4300, 5000].map((atMs): Happening => ({ kind: 'corrupt', atMs }))],
        repeatMs: null,
      };
  }
}

export type Person = Extract<Happening, { kind: 'person' }>;

/** What is going on at one moment of the script. */
export interface Moment {
  readonly people: readonly { readonly person: Person; readonly progress: number }[];
  readonly lamp: boolean;
  readonly night: boolean;
  readonly effects: readonly Applied[];
  readonly stalled: boolean;
}

function scriptTime(script: SceneScript, timeMs: number): number {
  return script.repeatMs === null ? timeMs : timeMs % script.repeatMs;
}

export function momentAt(script: SceneScript, timeMs: number): Moment {
  const at = scriptTime(script, timeMs);
  const active = script.happenings.filter(
    (happening) => 'fromMs' in happening && at >= happening.fromMs && at < happening.toMs,
  );
  return {
    people: active.flatMap((happening) =>
      happening.kind === 'person'
        ? [{ person: happening, progress: (at - happening.fromMs) / (happening.toMs - happening.fromMs) }]
        : [],
    ),
    lamp: active.some(({ kind }) => kind === 'lamp'),
    night: active.some(({ kind }) => kind === 'night'),
    effects: active.flatMap((happening) => {
      if (happening.kind !== 'effect') return [];
      const { effect, fromMs, toMs } = happening;
      return [{ effect, sinceMs: at - fromMs, progress: (at - fromMs) / (toMs - fromMs) }];
    }),
    stalled: active.some(({ kind }) => kind === 'stall'),
  };
}

/** Whether the frame that covers [fromMs, toMs) is the corrupt one. */
export function isCorruptAt(script: SceneScript, fromMs: number, toMs: number): boolean {
  const from = scriptTime(script, fromMs);
  return script.happenings.some(
    (happening) => happening.kind === 'corrupt' && happening.atMs >= from && happening.atMs < from + (toMs - fromMs),
  );
}

/** By how much the wall clock has been moved until now. */
export function clockOffsetAt(script: SceneScript, timeMs: number): number {
  return script.happenings.reduce(
    (sum, happening) => sum + (happening.kind === 'clock-jump' && happening.atMs <= timeMs ? happening.byMs : 0),
    0,
  );
}
