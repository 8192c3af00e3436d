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
const TRACKS_MAX = 24;
/** Weight of one frame in the slow means of a track. */
const EVIDENCE_WEIGHT = 0.3;
/** A patch is where its velocity led when the boxes share this much of the smaller. Snowflakes seldom match so well. */
const PREDICTED_OVERLAP_MIN = 0.5;
/** Lately found where it was in nearly every frame. */
const STEADY_SHARE_MIN = 0.8;

/** Returns the middle of a box, in pixels. */
function middle(blob: Blob): readonly [number, number] {
  return [(blob.left + blob.right) / 2, (blob.top + blob.bottom) / 2];
}

/** Returns the pixels between two boxes; 0 where they touch. */
function gap(a: Blob, b: Blob): number {
  return Math.max(0, a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom);
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
  const across = Math.min(right + dx, blob.right) - Math.max(left + dx, blob.left) + 1;
  const down = Math.min(bottom + dy, blob.bottom) - Math.max(top + dy, blob.top) + 1;
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

  /** Adds the patches of a frame; `reach` is how far one may move since the last frame, in pixels. Returns the tracks seen now. */
  update(found: readonly Found[], timeMs: number, frame: number, reach: number): readonly Track[] {
    const free = new Set(this.tracks);
    for (const patch of found) {
      const { blob } = patch;
      const candidates = [...free].filter((track) => gap(track.blob, blob) <= reach);
      // A track that the patch touches comes first, whatever else is near.
      const rank = (track: Track): number => track.hits - 1000 * gap(track.blob, blob);
      const track = candidates.sort((a, b) => rank(b) - rank(a))[0];
      if (track === undefined) {
        this.tracks.push(startTrack({ id: this.nextId++, found: patch, timeMs, frame }));
        continue;
      }
      free.delete(track);
      if (!extendTrack(track, patch, timeMs)) {
        Object.assign(track, startTrack({ id: this.nextId++, found: patch, timeMs, frame }));
      }
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

  /** Forgets all tracks. */
  clear(): void {
    this.tracks = [];
  }
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
    moved: false,
    nature: 'unknown',
  };
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
