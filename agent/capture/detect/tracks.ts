import type { Blob } from './kernel/blobs.js';
import type { Evidence } from './kernel/evidence.js';
import type { Nature } from './nature.js';

/** A patch that is found again from frame to frame. */
export interface Track {
  /** Another one for each subject. */
  id: number;
  blob: Blob;
  firstMs: number;
  firstFrame: number;
  lastMs: number;
  hits: number;
  /** Frames since the first in which it was not found. */
  misses: number;
  /** When something in it last changed. */
  activeMs: number;
  /** Farthest its middle has come from where it was first seen, in pixels. */
  travel: number;
  /** Length of the way its middle took. */
  path: number;
  /** The last step of its middle, in pixels a millisecond; null before the first. */
  velocity: readonly [number, number] | null;
  /** How often it was found where it had been, in part at least, or where its last step would have led it. */
  overlaps: number;
  /** The same as a slow mean, 0 to 1. */
  steady: number;
  /** Slow means of the evidence. */
  texture: number;
  steepness: number;
  novelty: number;
  /** It once was an object that came from elsewhere. */
  moved: boolean;
  nature: Nature;
  startX: number;
  startY: number;
}

/** A patch of one frame. */
export interface Found {
  readonly blob: Blob;
  readonly evidence: Evidence;
}

/** A patch is forgotten when it was not seen for this long. */
const FORGET_MS = 700;
/** Fewer changed pixels than this are noise. */
const ACTIVE_MIN_PIXELS = 3;
const ACTIVE_SHARE = 0.03;
const TRACKS_MAX = 24;
/** How much one frame says beside those before it. */
const EVIDENCE_SHARE = 0.3;
/** So much of the smaller of two boxes lies in the other; snowflakes are there by chance, and seldom so exactly. */
const ON_ITS_WAY = 0.5;
/** Found where it was as good as always, of late. */
const STEADY_AGAIN = 0.8;

function middle(blob: Blob): readonly [number, number] {
  return [(blob.left + blob.right) / 2, (blob.top + blob.bottom) / 2];
}

/** Pixels between two boxes; 0 where they touch. */
function gap(a: Blob, b: Blob): number {
  return Math.max(0, a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom);
}

/** Whether it is where it would be had it gone on as it last went. Who crosses in two seconds is never where he was. */
function isOnItsWay(
  { blob: { left, right, top, bottom }, velocity, lastMs }: Track,
  blob: Blob,
  timeMs: number,
): boolean {
  if (velocity === null) return false;
  const [dx, dy] = [velocity[0] * (timeMs - lastMs), velocity[1] * (timeMs - lastMs)];
  const across = Math.min(right + dx, blob.right) - Math.max(left + dx, blob.left) + 1;
  const down = Math.min(bottom + dy, blob.bottom) - Math.max(top + dy, blob.top) + 1;
  const least = Math.min(
    (right - left + 1) * (bottom - top + 1),
    (blob.right - blob.left + 1) * (blob.bottom - blob.top + 1),
  );
  return across > 0 && down > 0 && across * down >= ON_ITS_WAY * least;
}

/** Follows patches, so that noise and rain, which are never twice in one place, do not add up to a person. */
export class Tracker {
  private tracks: Track[] = [];
  private ids = 0;

  /** `reach` is how far a patch may move from one frame to the next, in pixels. Gives the tracks seen in this frame. */
  update(found: readonly Found[], timeMs: number, frame: number, reach: number): readonly Track[] {
    const free = new Set(this.tracks);
    for (const { blob, evidence } of found) {
      const near = [...free].filter((track) => gap(track.blob, blob) <= reach);
      // Where it was before it is found again first, whatever else is near.
      const rank = (track: Track): number => track.hits - 1000 * gap(track.blob, blob);
      const track = near.sort((a, b) => rank(b) - rank(a))[0];
      if (track === undefined) this.tracks.push(startTrack(this.ids++, blob, evidence, timeMs, frame));
      else {
        free.delete(track);
        if (!extendTrack(track, blob, evidence, timeMs))
          Object.assign(track, startTrack(this.ids++, blob, evidence, timeMs, frame));
      }
    }
    for (const track of free) track.misses++;
    this.tracks = this.tracks.filter((track) => timeMs - track.lastMs <= FORGET_MS);
    if (this.tracks.length > TRACKS_MAX) {
      this.tracks.sort((a, b) => b.hits - a.hits);
      this.tracks.length = TRACKS_MAX;
    }
    return this.seenAt(timeMs);
  }

  /** Largest first. */
  seenAt(timeMs: number): readonly Track[] {
    return this.tracks.filter((track) => track.lastMs === timeMs).sort((a, b) => b.blob.area - a.blob.area);
  }

  clear(): void {
    this.tracks = [];
  }
}

function startTrack(
  id: number,
  blob: Blob,
  { texture, steepness, novelty }: Evidence,
  timeMs: number,
  frame: number,
): Track {
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

/** False: it is somebody else, and begins anew. */
function extendTrack(track: Track, blob: Blob, evidence: Evidence, timeMs: number): boolean {
  const [x, y] = middle(blob);
  const [beforeX, beforeY] = middle(track.blob);
  track.path += Math.hypot(x - beforeX, y - beforeY);
  const isThere = gap(track.blob, blob) === 0 || isOnItsWay(track, blob, timeMs);
  const elapsedMs = Math.max(1, timeMs - track.lastMs);
  track.velocity = [(x - beforeX) / elapsedMs, (y - beforeY) / elapsedMs];
  if (isThere) track.overlaps++;
  track.steady += ((isThere ? 1 : 0) - track.steady) * EVIDENCE_SHARE;
  // Snow hit upon somebody: what was erratic and is steady now begins anew.
  if (track.nature === 'erratic' && track.steady > STEADY_AGAIN && track.overlaps < (track.hits - 1) * STEADY_AGAIN)
    return false;
  track.travel = Math.max(track.travel, Math.hypot(x - track.startX, y - track.startY));
  track.blob = blob;
  track.lastMs = timeMs;
  track.hits++;
  if (blob.active >= Math.max(ACTIVE_MIN_PIXELS, ACTIVE_SHARE * blob.area)) track.activeMs = timeMs;
  track.texture += (evidence.texture - track.texture) * EVIDENCE_SHARE;
  track.steepness += (evidence.steepness - track.steepness) * EVIDENCE_SHARE;
  track.novelty += (evidence.novelty - track.novelty) * EVIDENCE_SHARE;
  return true;
}
