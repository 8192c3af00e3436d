import type { LumaPlane } from '../../../hal/camera.js';

/** A driver's own plane that is wider than any setting asks for is looked at in means of 4×4 pixels. */
export const SHRINK = 4;
const WIDTH_MAX = 320;
/** Smaller than a tile, nothing can be told of it; larger, it would take more memory and time than a camera has. */
const SIDE_MIN = 16;
const PIXELS_MAX = WIDTH_MAX * WIDTH_MAX;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size in which a plane is looked at. */
export function smallSize({ width, height }: Size): Size {
  const isLarge = width > WIDTH_MAX && width % (4 * SHRINK) === 0 && height % SHRINK === 0;
  return isLarge ? { width: width / SHRINK, height: height / SHRINK } : { width, height };
}

/** Whether the detector takes such a plane at all. */
export function isFit(plane: LumaPlane): boolean {
  const { width, height } = smallSize(plane);
  const isWhole = plane.data.length === plane.width * plane.height;
  return isWhole && Math.min(width, height) >= SIDE_MIN && width * height <= PIXELS_MAX;
}
