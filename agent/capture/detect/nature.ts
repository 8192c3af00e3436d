import type { Track } from './tracks.js';
import type { Tuning } from './tuning.js';

/** What a patch is taken for: `object` may raise an event, the others never do. `unknown` is not known yet. */
export type Nature = 'unknown' | 'object' | 'light' | 'hole' | 'erratic';

export interface Circumstances {
  readonly timeMs: number;
  readonly minDurationMs: number;
  /** Of the plane, in pixels. */
  readonly width: number;
  readonly pixels: number;
  /** 1 at a sensitivity of 50, less at a higher one. */
  readonly strictness: number;
  /** How many patches of a frame are usually nothing: rain and snow raise the bar for small ones. */
  readonly clutter: number;
  /** The background is young: what sways is not in it yet. */
  readonly isCold: boolean;
}

const HITS_MIN = 3;
/** Nothing changed in it for this long. */
const STILL_MS = 250;
/** Found where it was so often, at least, or else going straight on and seen long enough. */
const STEADY_MIN = 0.5;
const STRAIGHT_MIN = 0.9;
const STRAIGHT_MS = 400;
/** Fast things are looked at this long before they count. */
const FAST_MS = 450;
/** How much surer one must be to take what moved as an object for light, and light for anything else. */
const MARGIN = 0.05;
const MOVED_STEADY_MIN = 0.25;
const SMALL_STEADY_KEPT = 0.7;
const SMALL_HITS = 5;
const SMALL_MISSES = 0.4;
/** What has come this far never merely sways; a cold start asks as much of everything. */
const FAR = 0.08;
const COLD_TRAVEL = 0.06;
const CLUTTER_SHARE = 0.35;
/** Edges that a person who stands still has, and light, holes and shadows have not. */
const HELD = { novelty: 0.6, texture: 0.5, steepness: 0.36 } as const;

/** Judges a track that was just seen. It reads its last judgement too, so that who was seen to walk may stand. */
export function natureOf(track: Track, around: Circumstances, tuning: Tuning): Nature {
  const { timeMs, width } = around;
  const ageMs = timeMs - track.firstMs;
  if (track.hits < HITS_MIN || ageMs < around.minDurationMs) return track.nature;
  if (timeMs - track.activeMs > STILL_MS && track.novelty < tuning.holeNovelty) return 'hole';
  if (isLight(track, tuning)) return 'light';
  const small = tuning.smallArea * around.strictness * around.pixels * (1 + CLUTTER_SHARE * around.clutter);
  const isSmall = track.blob.area < small;
  if (track.moved && track.steady > (isSmall ? SMALL_STEADY_KEPT : MOVED_STEADY_MIN)) return 'object';

  const steady = track.overlaps / (track.hits - 1);
  const straight = track.path < 2 ? 1 : Math.min(1, track.travel / track.path);
  const speed = (track.path / width / ageMs) * 1000;
  const flies = straight > STRAIGHT_MIN && track.hits > HITS_MIN && ageMs >= STRAIGHT_MS;
  if (steady < STEADY_MIN && !flies) return 'erratic';
  if (speed > tuning.erraticSpeed && straight < tuning.erraticStraightness) return 'erratic';
  if (speed > tuning.erraticSpeed && ageMs < FAST_MS) return track.nature;
  if (track.nature === 'object') return 'object';
  const wanted = around.isCold ? COLD_TRAVEL : tuning.swayTravel;
  const sways = straight < tuning.swayStraightness || track.travel < wanted * width;
  if (sways && track.travel < FAR * width && ageMs < tuning.swayMs) return 'unknown';
  return isSmall && !hasProved(track, ageMs, steady, straight, width, tuning) ? 'unknown' : 'object';
}

function isLight({ texture, steepness, moved, nature }: Track, tuning: Tuning): boolean {
  const margin = moved ? MARGIN : nature === 'light' ? -MARGIN : 0;
  return (
    texture > tuning.lightTexture + margin ||
    texture - steepness > tuning.light + margin ||
    steepness < tuning.lightSteepness - margin
  );
}

function hasProved(
  { travel, hits, misses }: Track,
  ageMs: number,
  steady: number,
  straight: number,
  width: number,
  tuning: Tuning,
): boolean {
  return (
    travel >= tuning.smallTravel * width &&
    ageMs >= tuning.smallMs &&
    hits >= SMALL_HITS &&
    misses <= SMALL_MISSES * hits &&
    steady >= tuning.smallSteady &&
    straight >= tuning.swayStraightness
  );
}

/** How long an object in which nothing changes is still there. */
export function patienceMs({ moved, novelty, texture, steepness }: Track, tuning: Tuning): number {
  const hasEdges = novelty > HELD.novelty && texture < HELD.texture && steepness > HELD.steepness;
  return moved && hasEdges ? tuning.holdMs : tuning.quietMs;
}
