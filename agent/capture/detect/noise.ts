import type { Tuning } from './tuning.js';
import { EIGHTHS_PER_LEVEL, rowsOf, TILE_PIXELS, type Planes } from './kernel/layout.js';

/** Every other pixel of every other row is enough for a median. */
const STEP_PIXELS = 2;
/** A grey level in the unit of means and deviations. */
const LEVEL_UNIT = 128;
const Q15_ONE = 32_768;
/** However weak the noise, no smaller difference counts, in grey levels: in the dark, and where a tile is twice as bright as that. */
const FLOOR_MIN_DARK = 2.5;
const FLOOR_MIN_BRIGHT = 6;
/** A tile up to this mean level is dark; grey levels. */
const DARK_LEVEL_MAX = 64;

/** Returns 0 for a dark tile or picture and 1 for a bright one, by its mean grey level. */
export function brightnessOf(level: number): number {
  return Math.min(1, Math.max(0, level / DARK_LEVEL_MAX - 1));
}

/**
 * Sets the floor of each tile from its noise: the median of what its pixels usually deviate. A median, since somebody who
 * stands in the tile, or a branch that moves in it, deviates too, but on less than half of it. The share of the local
 * contrast is in proportion: where there is little noise, edges do not tremble either.
 */
export function setFloors(
  { mean, deviation, floors, edges, layout }: Planes,
  tuning: Tuning,
  strictness: number,
): void {
  const { stride, tilesX } = layout;
  const samples = new Int16Array((TILE_PIXELS / STEP_PIXELS) ** 2);
  for (let tile = 0; tile < floors.length; tile++) {
    const left = (tile % tilesX) * TILE_PIXELS;
    const top = Math.floor(tile / tilesX) * TILE_PIXELS;
    let count = 0;
    let level = 0;
    for (let y = top; y < top + rowsOf(tile, layout); y += STEP_PIXELS) {
      for (let i = y * stride + left; i < y * stride + left + TILE_PIXELS; i += STEP_PIXELS) {
        samples[count++] = deviation[i] ?? 0;
        level += mean[i] ?? 0;
      }
    }
    const noise = (samples.subarray(0, count).sort()[count >> 1] ?? 0) / LEVEL_UNIT;
    const brightness = brightnessOf(level / count / LEVEL_UNIT);
    const least = FLOOR_MIN_DARK + brightness * (FLOOR_MIN_BRIGHT - FLOOR_MIN_DARK);
    const floor = Math.min(tuning.floor, Math.max(least, tuning.deviations * noise));
    floors[tile] = Math.round(floor * strictness * EIGHTHS_PER_LEVEL);
    edges[tile] = Math.round(((Q15_ONE - 1) * tuning.edges * floor) / tuning.floor);
  }
}
