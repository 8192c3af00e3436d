import { at } from './plane.js';

/** A connected patch of marked pixels; the box is inclusive. */
export interface Blob {
  readonly area: number;
  /** Pixels of it that changed since the frame before. */
  readonly active: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Marked neighbours, itself included, that a pixel needs to be more than noise. */
const SUPPORT = 4;
/** Patches closer than this belong together: a person is often found in pieces. */
const REACH = 2;

/** Takes lone pixels out of the mask. */
export function denoise(mask: Uint8Array, width: number, height: number, out: Uint8Array): void {
  out.fill(0);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      if (at(mask, i) === 0) continue;
      const sum =
        at(mask, i - width - 1) +
        at(mask, i - width) +
        at(mask, i - width + 1) +
        at(mask, i - 1) +
        1 +
        at(mask, i + 1) +
        at(mask, i + width - 1) +
        at(mask, i + width) +
        at(mask, i + width + 1);
      if (sum >= SUPPORT) out[i] = 1;
    }
  }
}

/** Patches of at least `minArea` pixels, largest first. `mask` is consumed. */
export function findBlobs(
  mask: Uint8Array,
  stillMs: Float32Array,
  width: number,
  height: number,
  minArea: number,
  most: number,
): Blob[] {
  const blobs: Blob[] = [];
  const stack: number[] = [];
  for (let start = 0; start < mask.length; start++) {
    if (at(mask, start) === 0) continue;
    mask[start] = 0;
    stack.push(start);
    let area = 0;
    let active = 0;
    let left = width;
    let right = 0;
    let top = height;
    let bottom = 0;
    for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
      const x = i % width;
      const y = (i - x) / width;
      area++;
      if (at(stillMs, i) === 0) active++;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
      for (let ny = Math.max(0, y - REACH); ny <= Math.min(height - 1, y + REACH); ny++) {
        for (let nx = Math.max(0, x - REACH); nx <= Math.min(width - 1, x + REACH); nx++) {
          const n = ny * width + nx;
          if (at(mask, n) === 0) continue;
          mask[n] = 0;
          stack.push(n);
        }
      }
    }
    if (area >= minArea) blobs.push({ area, active, left, top, right, bottom });
  }
  return blobs.sort((a, b) => b.area - a.area).slice(0, most);
}
