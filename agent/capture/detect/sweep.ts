import type { Track } from './track.js';

/** So much of the picture is lit or shaded by it, for so long: headlights, or a cloud's edge. Not a lamp's flicker. */
const AREA_MIN = 0.03;
const AGE_MIN_MS = 300;
/** After so long without it, the next is another. */
const OVER_MS = 5000;

/** Tells light that goes through the picture, which is no sudden change of all of it. */
export class SweepWatch {
  private litMs = -Infinity;

  /** Whether a light begins to sweep; `pixels` is the picture's size. */
  inspectTracks(timeMs: number, tracks: readonly Track[], pixels: number): boolean {
    const isLit = tracks.some(
      ({ nature, blob, firstMs }) =>
        nature === 'light' && blob.area >= AREA_MIN * pixels && timeMs - firstMs >= AGE_MIN_MS,
    );
    if (!isLit) return false;
    const isNew = timeMs - this.litMs > OVER_MS;
    this.litMs = timeMs;
    return isNew;
  }
}
