import type { Layout } from './layout.js';

/**
 * The inner loops, over planes in one memory. Integers only, so that the plain and the WebAssembly twin give the same
 * bits, and rates that follow from elapsed time are computed once, outside. Grey levels are in eighths where nothing
 * else is said.
 */
export interface Kernels {
  readonly name: 'plain' | 'simd';
  /** Lays out the planes of one picture size, all zero, and returns the memory they are in. */
  readonly place: (width: number, height: number, sourcePixels: number) => Placed;
  /** `source` to `raw`: means of 4×4 pixels. */
  readonly shrink4: () => void;
  /** `raw` to `current`: means of 3×3 pixels. */
  readonly smooth: () => void;
  /** Per tile over every other row to `sums`: of the picture, of the mean, of mean × mean and of mean × picture. */
  readonly sumTiles: () => void;
  /** `difference` = picture − mean × gain / 8192 − offset, within ±2047; `sums` has its sum and squares per tile. */
  readonly subtract: (gain: number, offset: number) => void;
  /**
   * Takes the shades, bilinear between the middles of tiles, out of the difference and marks what exceeds the threshold:
   * `floor` or deviation × `deviations` / 2^15, the larger of them, and range × `edges` / 2^15 on top, raised by flicker.
   * Returns how many are marked.
   */
  readonly classify: (floor: number, deviations: number, edges: number) => number;
  /** `mask` to `clean`: marked pixels with at least three marked neighbours. Returns how many. */
  readonly denoise: () => number;
  /** Mean, deviation and flicker follow the picture, each pixel as `learning` says; rates are in 1/32768. */
  readonly learn: (follow: number, unknown: number, spread: number, calm: number) => void;
  /** `mean` to `range`: largest minus smallest of 3×3 pixels. */
  readonly findRanges: () => void;
}

export interface Placed {
  readonly layout: Layout;
  readonly memory: ArrayBuffer;
}
