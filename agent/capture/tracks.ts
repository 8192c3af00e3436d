import type { Blob } from './kernel/blobs.js';

/** A patch that is found again from frame to frame. */
export interface Track {
  blob: Blob;
  firstMs: number;
  firstFrame: number;
  lastMs: number;
  hits: number;
  /** When something in it last changed. */
  activeMs: number;
  /** Farthest its middle has come from where it was first seen, in pixels. */
  travel: number;
  readonly startX: number;
  readonly startY: number;
}

/** A patch is forgotten when it was not seen for this long. */
const FORGET_MS = 700;
/** Fewer changed pixels than this are noise. */
const ACTIVE_MIN_PIXELS = 3;
const ACTIVE_SHARE = 0.03;
const TRACKS_MAX = 24;

function middle(blob: Blob): readonly [number, number] {
  return [(blob.left + blob.right) / 2, (blob.top + blob.bottom) / 2];
}

function areNear(a: Blob, b: Blob, reach: number): boolean {
  return (
    a.left - reach <= b.right && b.left - reach <= a.right && a.top - reach <= b.bottom && b.top - reach <= a.bottom
  );
}

/** Follows patches, so that noise and rain, which are never twice in one place, do not add up to a person. */
export class Tracker {
  private tracks: Track[] = [];

  /** `reach` is how far a patch may move from one frame to the next, in pixels. */
  update(blobs: readonly Blob[], timeMs: number, frame: number, reach: number): readonly Track[] {
    const free = new Set(this.tracks);
    for (const blob of blobs) {
      const near = [...free].filter((track) => areNear(track.blob, blob, reach));
      const track = near.sort((a, b) => b.hits - a.hits)[0];
      if (track === undefined) {
        const [startX, startY] = middle(blob);
        this.tracks.push({
          ...{ blob, hits: 1, travel: 0, startX, startY },
          ...{ firstMs: timeMs, lastMs: timeMs, activeMs: timeMs, firstFrame: frame },
        });
        continue;
      }
      free.delete(track);
      const [x, y] = middle(blob);
      track.blob = blob;
      track.lastMs = timeMs;
      if (blob.active >= Math.max(ACTIVE_MIN_PIXELS, ACTIVE_SHARE * blob.area)) track.activeMs = timeMs;
      track.hits++;
      track.travel = Math.max(track.travel, Math.hypot(x - track.startX, y - track.startY));
    }
    this.tracks = this.tracks.filter((track) => timeMs - track.lastMs <= FORGET_MS);
    if (this.tracks.length > TRACKS_MAX) {
      this.tracks.sort((a, b) => b.hits - a.hits);
      this.tracks.length = TRACKS_MAX;
    }
    return this.tracks;
  }

  clear(): void {
    this.tracks = [];
  }
}
