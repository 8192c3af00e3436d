import type { SceneName } from '../mock-scenarios.js';
import { placeOf, type Actor } from './actors.js';
import type { Applied, Effect } from './effects.js';

/** One thing that happens in front of a mock camera. Times are milliseconds from the start of the stream. */
export type Happening =
  | {
      readonly kind: 'person';
      readonly fromMs: number;
      readonly toMs: number;
      /**
       * `cross` walks through the picture; `visit` walks in, stands at the door and leaves the way it came; `stand` does
       * the same, but walks faster and stands for longer.
       */
      readonly path: 'cross' | 'cross-back' | 'visit' | 'stand';
      /** Seed of coat, skin and hair. */
      readonly look: number;
      /** As a factor of the scene's usual size; 1 where it is missing. */
      readonly size?: number;
    }
  | { readonly kind: 'actor'; readonly actor: Actor }
  | { readonly kind: 'lamp'; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: 'night'; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: 'effect'; readonly fromMs: number; readonly toMs: number; readonly effect: Effect }
  /** The camera delivers no frames. */
  | { readonly kind: 'stall'; readonly fromMs: number; readonly toMs: number }
  /** The wall clock is set forward or back; the monotonic one is not. */
  | { readonly kind: 'clock-jump'; readonly atMs: number; readonly byMs: number }
  /** One frame is not a JPEG. */
  | { readonly kind: 'corrupt'; readonly atMs: number };

export interface SceneScript {
  readonly scene: SceneName;
  readonly seed: number;
  /** Standard deviation of the sensor's noise, in grey levels. */
  readonly noise: number;
  /** Standard deviation of noise in patches of 4×4 pixels of the full picture, as a camera's own smoothing leaves at night. */
  readonly grain?: number | undefined;
  /** Quality of the JPEG, from 1 to 100. */
  readonly quality?: number | undefined;
  readonly happenings: readonly Happening[];
  /** The script restarts after this time; null plays it once and then shows the empty scene. */
  readonly repeatMs: number | null;
}

export type Person = Extract<Happening, { kind: 'person' }>;

/** What is going on at one moment of the script. */
export interface Moment {
  readonly people: readonly { readonly person: Person; readonly progress: number }[];
  readonly actors: readonly Actor[];
  /** Time of the script. */
  readonly atMs: number;
  readonly lamp: boolean;
  readonly night: boolean;
  readonly effects: readonly Applied[];
  readonly stalled: boolean;
}

function scriptTime(script: SceneScript, timeMs: number): number {
  return script.repeatMs === null ? timeMs : timeMs % script.repeatMs;
}

/** Returns what is going on at a time since the start of the stream. */
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
    actors: script.happenings.flatMap((one) =>
      one.kind === 'actor' && placeOf(one.actor.way, at) !== null ? [one.actor] : [],
    ),
    atMs: at,
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

/** Reports whether the frame that covers [fromMs, toMs) is the corrupt one. */
export function isCorruptAt(script: SceneScript, fromMs: number, toMs: number): boolean {
  const from = scriptTime(script, fromMs);
  return script.happenings.some(
    (happening) => happening.kind === 'corrupt' && happening.atMs >= from && happening.atMs < from + (toMs - fromMs),
  );
}

/** Returns by how many milliseconds the wall clock has been moved until now. */
export function clockOffsetAt(script: SceneScript, timeMs: number): number {
  return script.happenings.reduce(
    (sum, happening) => sum + (happening.kind === 'clock-jump' && happening.atMs <= timeMs ? happening.byMs : 0),
    0,
  );
}
