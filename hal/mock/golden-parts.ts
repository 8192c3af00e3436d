import type { Actor, Waypoint } from './actors.js';
import type { Effect } from './effects.js';
import type { Happening, SceneScript } from './script.js';

/** A scenario with the right answer of a detector. */
export interface Golden extends Pick<SceneScript, 'scene' | 'noise' | 'grain' | 'quality' | 'happenings'> {
  readonly durationMs: number;
  readonly framesPerSecond: number;
  /** When people are in the picture; each interval is one event, and there are no others. */
  readonly events: readonly (readonly [fromMs: number, toMs: number])[];
  /** Most time from a person's entry to the event; a person needs a second to come into the picture. */
  readonly withinMs: number;
  /** Classes of the scene changes to be reported, in order. */
  readonly scenes: readonly ('illumination' | 'tamper' | 'overlay')[];
  /** Whether changes of light may be reported as well, any number of them: the light does change. */
  readonly mayChangeLight?: boolean;
  /** The whole of it is by night, under infrared. */
  readonly isNight?: boolean;
  /** It is what it is in its own light alone. */
  readonly isLightFixed?: boolean;
  /** Most time for which an event may stay open after its end: for what moved and then stays, a car or a parcel. */
  readonly settlesMs?: number;
  /** Least share of the time of each visit for which its event is open. */
  readonly coverage?: number;
}

/** What most scenarios have. */
export const DEFAULTS = {
  withinMs: 1500,
  noise: 2,
  durationMs: 30_000,
  framesPerSecond: 10,
  events: [],
  scenes: [],
} as const;

/** Makes an effect that lasts for a while. */
export const during = (fromMs: number, toMs: number, effect: Effect): Happening => ({
  kind: 'effect',
  fromMs,
  toMs,
  effect,
});
/** Makes an effect that lasts. */
export const always = (effect: Effect): Happening => during(0, 120_000, effect);
/** Makes a person who walks by on the ground of the scene. */
export const person = (
  fromMs: number,
  toMs: number,
  more: Partial<Happening & { kind: 'person' }> = {},
): Happening => ({
  kind: 'person',
  fromMs,
  toMs,
  path: 'cross',
  look: 4711,
  size: 1,
  ...more,
});

/** Makes somebody or something that goes its own way. */
export const actor = (what: Actor['what'], way: readonly Waypoint[], more: Partial<Actor> = {}): Happening => ({
  kind: 'actor',
  actor: { what, look: 4711, way, ...more },
});

/** What stays does so until the end of every scenario. */
export const STAYS_MS = 120_000;
