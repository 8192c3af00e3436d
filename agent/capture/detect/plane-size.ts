import type { LumaPlane } from '../../../hal/camera.js';

/** A driver's plane that is wider than any setting asks for is reduced by this factor on both sides. */
const SHRINK_FACTOR = 4;
/** No setting asks for a wider plane. */
export const WIDTH_MAX_PIXELS = 320;
/** A plane smaller than a tile shows nothing; a larger one takes more memory and time than a camera has. */
export const SIDE_MIN_PIXELS = 16;
export const PIXELS_MAX = WIDTH_MAX_PIXELS * WIDTH_MAX_PIXELS;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Returns the size at which the detector works on a plane. */
export function workingSize({ width, height }: Size): Size {
  const isLarge = width > WIDTH_MAX_PIXELS && width % (4 * SHRINK_FACTOR) === 0 && height % SHRINK_FACTOR === 0;
  return isLarge ? { width: width / SHRINK_FACTOR, height: height / SHRINK_FACTOR } : { width, height };
}

/** Reports whether the detector accepts such a plane. */
export function isFit(plane: LumaPlane): boolean {
  const { width, height } = workingSize(plane);
  const isWhole = plane.data.length === plane.width * plane.height;
  return isWhole && Math.min(width, height) >= SIDE_MIN_PIXELS && width * height <= PIXELS_MAX;
}
