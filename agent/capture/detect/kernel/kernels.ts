import type { Layout } from './layout.js';

/**
 * The inner loops of the detector, over planes in one memory. They use integers only, so that plain.ts and the WebAssembly
 * of simd.ts give the same bits; rates that depend on elapsed time are computed outside. Grey levels are in eighths where
 * nothing else is stated.
 */
export interface Kernels {
  readonly name: 'plain' | 'simd';
  /** Lays out the planes of one picture size, all zero. Returns the layout and the memory they are in. */
  readonly place: (width: number, height: number, sourcePixels: number) => Placed;
  /** `source` to `raw`: means of 4×4 pixels. */
  readonly shrink4: () => void;
  /** `raw` to `current`: means of 3×3 pixels. */
  readonly smooth: () => void;
  /** To `sums`, per tile over every other row: sums of picture, mean, mean × mean and mean × picture. */
  readonly sumTiles: () => void;
  /** `difference` = picture − mean × gain / 8192 − offset, within ±2047; to `sums` its sum and squares per tile. */
  readonly subtract: (gain: number, offset: number) => void;
  /**
   * Subtracts the shades, bilinear between the middles of tiles, from the difference and marks the pixels beyond the
   * threshold: the larger of the tile's floor and deviation × `deviations` / 2^15, plus range × the tile's edge share / 2^15, raised by
   * flicker. Returns the number of marked pixels. It changes no plane that is kept for the next frame.
   */
  readonly classify: (deviations: number) => number;
  /** `current` to `last` and `mask` to `marked`; a pixel that crossed its threshold since the frame before flickers more. */
  readonly remember: () => void;
  /** `mask` to `clean`: marked pixels with at least three marked neighbours. Returns their number. */
  readonly denoise: () => number;
  /** Moves mean, deviation and flicker toward the picture, each pixel as `learning` states; rates are in 1/32768. */
  readonly learn: (follow: number, unknown: number, spread: number, calm: number) => void;
  /** `mean` to `range`: largest minus smallest of 3×3 pixels. */
  readonly findRanges: () => void;
}

export interface Placed {
  readonly layout: Layout;
  readonly memory: ArrayBuffer;
}
