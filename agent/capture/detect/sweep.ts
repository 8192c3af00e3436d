import type { Track } from './track.js';

/** Headlights or the edge of a cloud light or shade at least this share of the picture, for this long; a flicker does not. */
const AREA_MIN_SHARE = 0.03;
const AGE_MIN_MS = 300;
/** After this long without light, the next is a new sweep. */
const SWEEP_GAP_MS = 5000;

/** Finds light that moves through the picture, which is not a sudden change of the whole. */
export class SweepWatch {
  private litMs = -Infinity;

  /** Reports whether a sweep begins with this frame; `pixels` is the size of the plane. */
  inspectTracks(timeMs: number, tracks: readonly Track[], pixels: number): boolean {
    const isLit = tracks.some(
      ({ nature, blob, firstMs }) =>
        nature === 'light' && blob.area >= AREA_MIN_SHARE * pixels && timeMs - firstMs >= AGE_MIN_MS,
    );
    if (!isLit) return false;
    const isNew = timeMs - this.litMs > SWEEP_GAP_MS;
    this.litMs = timeMs;
    return isNew;
  }
}
