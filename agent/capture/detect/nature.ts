import type { Reason } from './observation.js';
import type { Nature, Track } from './track.js';
import { gap } from './tracker.js';
import type { Tuning } from './tuning.js';

/** What decides beside the track itself. */
export interface Circumstances {
  readonly timeMs: number;
  readonly minDurationMs: number;
  /** Of the plane, in pixels. */
  readonly width: number;
  readonly pixels: number;
  /** 1 at a sensitivity of 50, less at a higher one. */
  readonly strictness: number;
  /** Usual number of patches in a frame that are not objects: rain and snow raise the bar for small ones. */
  readonly clutter: number;
  /** The picture is dark: a night under infrared. */
  readonly isDark: boolean;
  /** The background is young, and does not hold yet what sways. */
  readonly isBackgroundYoung: boolean;
}

const HITS_MIN = 3;
/** A patch this near to the edge of the picture touches it. */
const EDGE_PIXELS = 3;
const FLYING_AREA_FACTOR = 5;
/** Beside light this many times as large, at this distance, a patch is not decided. */
const LIGHT_FACTOR = 3;
const LIGHT_REACH_PIXELS = 16;
/** With a smaller share of it foreign to the background nearby, a patch is what swayed there; more is asked of what did not come in. */
const FOREIGN_MIN = 0.6;
const FOREIGN_IN_PLACE_MIN = 0.9;
/** Until it has travelled this share of its own size, still more. */
const IN_PLACE_TRAVEL = 0.5;
/** A patch in which nothing changed for longer may be the hole that somebody left. */
const HOLE_STILL_MS = 250;
/** A track that is found elsewhere in more of its frames is erratic, unless it goes straight on and was seen long enough. */
const STEADY_MIN = 0.5;
const FLIGHT_STRAIGHTNESS_MIN = 0.9;
const FLIGHT_AGE_MIN_MS = 400;
/** A fast patch is not decided before this age. */
const FAST_AGE_MIN_MS = 450;
/** In the dark this share of an insect's speed by day is enough. */
const ASTRAY_SPEED_SHARE = 0.45;
/** Hysteresis of the light thresholds: an object that moved is not taken for light so easily, nor light for anything else. */
const LIGHT_HYSTERESIS = 0.05;
/** Steadiness with which a track that moved stays an object; more is asked of a small one. */
const MOVED_STEADY_MIN = 0.25;
const MOVED_SMALL_STEADY_MIN = 0.7;
const SMALL_HITS_MIN = 5;
const SMALL_MISSES_PER_HIT_MAX = 0.4;
/** Travel asked of every patch while the background is young; widths of the plane. */
const YOUNG_TRAVEL_MIN = 0.06;
/** By how much each patch of clutter raises the area below which a patch counts as small. */
const SMALL_AREA_PER_CLUTTER = 0.2;
/** What moves faster than this many times its own size in a second is near the lens, or falls; and by how much clutter lowers that. */
const PACE_MAX_PER_S = 10;
const PACE_DIVISOR_PER_CLUTTER = 0.35;

/** Decides what a track is that was just seen. Its last nature counts too, so that a person who was seen to walk may stand. */
export function natureOf(track: Track, around: Circumstances, tuning: Tuning): Nature {
  const { timeMs, width } = around;
  const ageMs = timeMs - track.firstMs;
  if (track.hits < HITS_MIN || ageMs < around.minDurationMs) return track.nature;
  if (timeMs - track.activeMs > HOLE_STILL_MS && track.novelty < tuning.holeNovelty) return 'hole';
  if (isLight(track, tuning)) return 'light';
  if (track.foreign < foreignMinOf(track)) return 'unknown';
  const smallArea =
    tuning.smallArea * around.strictness * around.pixels * (1 + SMALL_AREA_PER_CLUTTER * around.clutter);
  const isSmall = track.blob.area < smallArea;
  if (track.moved && track.steady > (isSmall ? MOVED_SMALL_STEADY_MIN : MOVED_STEADY_MIN)) return 'object';

  const steadiness = track.overlaps / (track.hits - 1);
  const straightness = track.path < 2 ? 1 : Math.min(1, track.travel / track.path);
  const speed = (track.path / width / ageMs) * 1000;
  const isInFlight = straightness > FLIGHT_STRAIGHTNESS_MIN && track.hits > HITS_MIN && ageMs >= FLIGHT_AGE_MIN_MS;
  if (steadiness < STEADY_MIN && !isInFlight) return 'erratic';
  if (paceOf(track, ageMs) > PACE_MAX_PER_S / (1 + PACE_DIVISOR_PER_CLUTTER * around.clutter)) return 'erratic';
  // The middle of a large patch jumps as parts of it come and go, so its speed says little.
  const isFlying = track.blob.area < FLYING_AREA_FACTOR * smallArea;
  const isFast = speed > tuning.erraticSpeed && (!track.entered || isFlying);
  if (isFast && straightness < tuning.erraticStraightness) return 'erratic';
  // Insects at the lens turn: in the dark, where they are lit, less speed is enough.
  const isAstray =
    around.isDark &&
    isFlying &&
    speed + (track.travel / width / ageMs) * 1000 > 2 * ASTRAY_SPEED_SHARE * tuning.erraticSpeed;
  if (isAstray && straightness < tuning.erraticStraightness) return 'erratic';
  if (isFast && ageMs < FAST_AGE_MIN_MS) return track.nature;
  if (track.nature === 'object') return 'object';
  // What stands still and was nothing so far does not become an object: a patch that a beam of light left, for example.
  if (track.activeMs < timeMs) return 'unknown';
  const travelMin = around.isBackgroundYoung ? YOUNG_TRAVEL_MIN : tuning.swayTravel;
  // What hung there and moves in its place, a flag for example, is nobody, however long it does.
  if (track.travel < travelMin * width && (ageMs < tuning.swayMs || !track.entered)) return 'unknown';
  return isSmall && !isSmallObject(track, { ageMs, steadiness, straightness, width }, tuning) ? 'unknown' : 'object';
}

function isLight({ texture, steepness, moved, nature }: Track, tuning: Tuning): boolean {
  let margin = 0;
  if (moved) margin = LIGHT_HYSTERESIS;
  else if (nature === 'light') margin = -LIGHT_HYSTERESIS;
  return (
    texture > tuning.lightTexture + margin ||
    texture - steepness > tuning.light + margin ||
    steepness < tuning.lightSteepness - margin
  );
}

/** Returns how foreign a patch has to be: wholly where it has not moved at all. */
function foreignMinOf(track: Track): number {
  if (track.nature === 'object' || track.entered) return FOREIGN_MIN;
  return 1 - (1 - FOREIGN_IN_PLACE_MIN) * Math.min(1, track.travel / (IN_PLACE_TRAVEL * sizeOf(track.blob)));
}

/** Returns the longer side of a patch, in pixels. */
function sizeOf({ left, top, right, bottom }: Track['blob']): number {
  return Math.max(right - left, bottom - top) + 1;
}

/**
 * Returns how many times its own size a patch moves in a second. Each flake that touches a person lengthens the path, and a track
 * that goes over from flake to flake travels little, so the way is the mean of both.
 */
function paceOf({ blob, path, travel }: Track, ageMs: number): number {
  return ((path + travel) / 2 / sizeOf(blob) / ageMs) * 1000;
}

interface Course {
  readonly ageMs: number;
  /** Share of the hits in which the track was where it was expected, 0 to 1. */
  readonly steadiness: number;
  /** Travel over path, 0 to 1. */
  readonly straightness: number;
  /** Of the plane, in pixels. */
  readonly width: number;
}

/** Reports whether a small patch went far, long and evenly enough to be an object. */
function isSmallObject(
  { travel, hits, misses }: Track,
  { ageMs, steadiness, straightness, width }: Course,
  tuning: Tuning,
): boolean {
  return (
    travel >= tuning.smallTravel * width &&
    ageMs >= tuning.smallMs &&
    hits >= SMALL_HITS_MIN &&
    misses <= SMALL_MISSES_PER_HIT_MAX * hits &&
    steadiness >= tuning.smallSteady &&
    straightness >= tuning.swayStraightness
  );
}

/** Whether a patch is on the rim of a change of light: it has the edges that the light brings out there. */
export function isBesideLight({ blob }: Track, tracks: readonly Track[]): boolean {
  return tracks.some(
    ({ nature, blob: other }) =>
      nature === 'light' && other.area > LIGHT_FACTOR * blob.area && gap(blob, other) <= LIGHT_REACH_PIXELS,
  );
}

/**
 * Whether a patch touches the edge of the picture, or did before it was first seen, by its first step: who comes in there is seen
 * in part, and travels little.
 */
export function isAtEdge(track: Track, { width, pixels }: Circumstances): boolean {
  const { left, top, right, bottom } = track.blob;
  const [x, y] = track.hits === 2 && track.velocity !== null ? track.velocity : [0, 0];
  const twoStepsMs = 2 * (track.lastMs - track.firstMs);
  const far = EDGE_PIXELS + 1;
  return (
    left - Math.max(0, x) * twoStepsMs <= EDGE_PIXELS ||
    top - Math.max(0, y) * twoStepsMs <= EDGE_PIXELS ||
    right - Math.min(0, x) * twoStepsMs >= width - far ||
    bottom - Math.min(0, y) * twoStepsMs >= pixels / width - far
  );
}

/** Returns for how many milliseconds an object in which nothing changes still counts as there. */
export function stillMaxMs({ moved }: Track, tuning: Tuning): number {
  return moved ? tuning.holdMs : tuning.quietMs;
}

/** Returns the reason why nothing is raised, by the nature of the largest patch. */
export function reasonWithoutObject([largest]: readonly Track[]): Reason {
  switch (largest?.nature) {
    case undefined:
      return 'too-small';
    case 'light':
      return 'light';
    case 'erratic':
      return 'erratic';
    case 'hole':
    case 'object':
      return 'left';
    case 'unknown':
      return 'too-short';
  }
}
