import type { Blob } from './kernel/blobs.js';
import type { Evidence } from './kernel/evidence.js';
import type { Track } from './track.js';

/** A patch of one frame. */
export interface Found {
  readonly blob: Blob;
  readonly evidence: Evidence;
}

/** A patch that was not seen for longer is forgotten. */
const TRACK_FORGET_MS = 700;
/** With fewer changed pixels than the larger of these two, a patch counts as still. */
const ACTIVE_MIN_PIXELS = 3;
const ACTIVE_AREA_MIN_SHARE = 0.03;
/** Somebody falls into pieces that are up to so far apart. */
const PART_REACH_PIXELS = 10;
const TRACKS_MAX = 24;
/** Weight of one frame in the slow means of a track. */
const EVIDENCE_WEIGHT = 0.3;
/** A patch is where its velocity led when the boxes share this much of the smaller. Snowflakes seldom match so well. */
const PREDICTED_OVERLAP_MIN = 0.5;
/** The faster a patch is, the less certain is its place: by this share of the step. */
const PREDICTED_MARGIN_SHARE = 0.1;
/** Lately found where it was in nearly every frame. */
const STEADY_SHARE_MIN = 0.8;

/** Returns the middle of a box, in pixels. */
function middle(blob: Blob): readonly [number, number] {
  return [(blob.left + blob.right) / 2, (blob.top + blob.bottom) / 2];
}

type Rectangle = Pick<Blob, 'left' | 'right' | 'top' | 'bottom'>;

/** Returns where the last step of a track leads it. */
function expectedBox({ blob, velocity, lastMs }: Track, timeMs: number): Rectangle {
  const [x, y] = velocity ?? [0, 0];
  const dx = x * (timeMs - lastMs);
  const dy = y * (timeMs - lastMs);
  return { left: blob.left + dx, right: blob.right + dx, top: blob.top + dy, bottom: blob.bottom + dy };
}

/** Returns the pixels between two boxes; 0 where they touch. */
export function gap(a: Rectangle, b: Rectangle): number {
  return Math.max(0, a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom);
}

/** Returns which part of both boxes together is in both. */
function shared(a: Rectangle, b: Rectangle): number {
  const across = Math.min(a.right, b.right) - Math.max(a.left, b.left) + 1;
  const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) + 1;
  if (across <= 0 || down <= 0) return 0;
  const size = ({ left, right, top, bottom }: Rectangle): number => (right - left + 1) * (bottom - top + 1);
  return (across * down) / (size(a) + size(b) - across * down);
}

/** Reports whether a patch is where its last velocity led. A person who crosses in two seconds is never where they were. */
function isWherePredicted(
  { blob: { left, right, top, bottom }, velocity, lastMs }: Track,
  blob: Blob,
  timeMs: number,
): boolean {
  if (velocity === null) return false;
  const dx = velocity[0] * (timeMs - lastMs);
  const dy = velocity[1] * (timeMs - lastMs);
  const around = PREDICTED_MARGIN_SHARE * Math.hypot(dx, dy);
  const across = Math.min(right + dx + around, blob.right) - Math.max(left + dx - around, blob.left) + 1;
  const down = Math.min(bottom + dy + around, blob.bottom) - Math.max(top + dy - around, blob.top) + 1;
  const least = Math.min(
    (right - left + 1) * (bottom - top + 1),
    (blob.right - blob.left + 1) * (blob.bottom - blob.top + 1),
  );
  return across > 0 && down > 0 && across * down >= PREDICTED_OVERLAP_MIN * least;
}

/** Joins patches from frame to frame, so that noise and rain, which are never twice in one place, do not add up to a person. */
export class Tracker {
  private tracks: Track[] = [];
  private nextId = 0;
  /** What is there when tracking begins again may have come in before. */
  private wasCleared = false;

  /** Adds the patches of a frame; `reach` is how far one may move since the last frame, in pixels. Returns the tracks seen now. */
  update(found: readonly Found[], timeMs: number, frame: number, reach: number): readonly Track[] {
    const heirs = new Set(found.filter(({ blob }) => this.wasCleared || isPartOfEntered(blob, this.tracks)));
    this.wasCleared = false;
    const free = new Set(this.tracks);
    const open = new Set(found);
    for (const { patch, track } of pairsOf(found, this.tracks, reach, timeMs)) {
      if (!free.has(track) || !open.has(patch)) continue;
      free.delete(track);
      open.delete(patch);
      if (!extendTrack(track, patch, timeMs)) {
        Object.assign(track, startTrack({ id: this.newId(), found: patch, timeMs, frame }));
      }
    }
    for (const patch of open) {
      const track = startTrack({ id: this.newId(), found: patch, timeMs, frame });
      track.entered = heirs.has(patch);
      this.tracks.push(track);
    }
    for (const track of free) track.misses++;
    this.tracks = this.tracks.filter((track) => timeMs - track.lastMs <= TRACK_FORGET_MS);
    if (this.tracks.length > TRACKS_MAX) {
      this.tracks.sort((a, b) => b.hits - a.hits);
      this.tracks.length = TRACKS_MAX;
    }
    return this.seenAt(timeMs);
  }

  /** Returns the tracks that were found in the frame of this time, largest first. */
  seenAt(timeMs: number): readonly Track[] {
    return this.tracks.filter((track) => track.lastMs === timeMs).sort((a, b) => b.blob.area - a.blob.area);
  }

  /** Numbers one more subject. */
  newId(): number {
    return this.nextId++;
  }

  /** Forgets all tracks. */
  clear(): void {
    this.tracks = [];
    this.wasCleared = true;
  }
}

/** Reports whether a patch lies beside where something that came in just was: it may be a part of it. */
function isPartOfEntered(blob: Blob, tracks: readonly Track[]): boolean {
  return tracks.some((track) => track.entered && gap(track.blob, blob) <= PART_REACH_PIXELS);
}

interface Pair {
  readonly patch: Found;
  readonly track: Track;
  readonly rank: number;
}

/**
 * Returns which patch may be which track, the likeliest first: the box that covers most of the other, then the nearest,
 * then the track that was seen most. So an insect that flies over a person does not carry the person's track away.
 */
function pairsOf(found: readonly Found[], tracks: readonly Track[], reach: number, timeMs: number): readonly Pair[] {
  const pairs = tracks.flatMap((track) => {
    const expected = expectedBox(track, timeMs);
    return found.flatMap((patch) => {
      const { blob } = patch;
      if (gap(track.blob, blob) > reach) return [];
      const distance = Math.min(gap(track.blob, blob), gap(expected, blob));
      const overlap = Math.max(shared(track.blob, blob), shared(expected, blob));
      return [{ patch, track, rank: 1e6 * overlap - 1e4 * distance + track.hits }];
    });
  });
  return pairs.sort((a, b) => b.rank - a.rank);
}

/** A patch that no track claims, or that is somebody else. */
interface NewTrack {
  readonly id: number;
  readonly found: Found;
  readonly timeMs: number;
  readonly frame: number;
}

function startTrack({ id, found, timeMs, frame }: NewTrack): Track {
  const { blob } = found;
  const { texture, steepness, novelty } = found.evidence;
  const [startX, startY] = middle(blob);
  return {
    id,
    blob,
    hits: 1,
    misses: 0,
    travel: 0,
    path: 0,
    overlaps: 0,
    steady: 1,
    startX,
    startY,
    texture,
    steepness,
    novelty,
    velocity: null,
    firstMs: timeMs,
    lastMs: timeMs,
    activeMs: timeMs,
    firstFrame: frame,
    foreign: 1,
    comparedArea: 0,
    comparedMs: timeMs,
    entered: false,
    moved: false,
    nature: 'unknown',
  };
}

/** Forgets how far a track came: it was the rim of something else. */
export function startAgain(track: Track): void {
  [track.startX, track.startY] = middle(track.blob);
  track.travel = 0;
  track.path = 0;
}

/** Adds a hit to a track. Returns false where it is somebody else, whose track must start again. */
function extendTrack(track: Track, { blob, evidence }: Found, timeMs: number): boolean {
  const [x, y] = middle(blob);
  const [beforeX, beforeY] = middle(track.blob);
  track.path += Math.hypot(x - beforeX, y - beforeY);
  const isWhereExpected = gap(track.blob, blob) === 0 || isWherePredicted(track, blob, timeMs);
  const elapsedMs = Math.max(1, timeMs - track.lastMs);
  track.velocity = [(x - beforeX) / elapsedMs, (y - beforeY) / elapsedMs];
  if (isWhereExpected) track.overlaps++;
  track.steady += ((isWhereExpected ? 1 : 0) - track.steady) * EVIDENCE_WEIGHT;
  // Snow hit a person: a track that was erratic and is steady now starts again.
  const isSteadyNow = track.steady > STEADY_SHARE_MIN && track.overlaps < (track.hits - 1) * STEADY_SHARE_MIN;
  if (track.nature === 'erratic' && isSteadyNow) return false;
  track.travel = Math.max(track.travel, Math.hypot(x - track.startX, y - track.startY));
  track.blob = blob;
  track.lastMs = timeMs;
  track.hits++;
  if (blob.active >= Math.max(ACTIVE_MIN_PIXELS, ACTIVE_AREA_MIN_SHARE * blob.area)) track.activeMs = timeMs;
  track.texture += (evidence.texture - track.texture) * EVIDENCE_WEIGHT;
  track.steepness += (evidence.steepness - track.steepness) * EVIDENCE_WEIGHT;
  track.novelty += (evidence.novelty - track.novelty) * EVIDENCE_WEIGHT;
  return true;
}
