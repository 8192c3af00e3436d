import { seededRandom } from '../../common/seeded-random.js';
import type { LumaPlane } from '../../hal/camera.js';

/** Size of a plane as the detector gets it. */
const PLANE_WIDTH = 160;
const PLANE_HEIGHT = 90;

/** Paints a rectangle of one grey level; in pixels. */
export type Paint = (
  rectangle: readonly [left: number, top: number, width: number, height: number],
  level: number,
) => void;

/** Returns a noisy luma plane with texture, on which `draw` paints. The same index gives the same noise. */
export function texturedPlane(index: number, draw: (paint: Paint) => void = () => undefined): LumaPlane {
  const { uniform } = seededRandom(index + 1);
  const data = new Uint8Array(PLANE_WIDTH * PLANE_HEIGHT);
  for (let y = 0; y < PLANE_HEIGHT; y++) {
    for (let x = 0; x < PLANE_WIDTH; x++) {
      const texture = ((x >> 3) % 2) * 14 + ((y >> 3) % 2) * 9;
      data[y * PLANE_WIDTH + x] = 100 + texture + Math.round((uniform() - 0.5) * 8);
    }
  }
  draw(([left, top, width, height], level) => {
    for (let y = Math.max(0, top); y < Math.min(PLANE_HEIGHT, top + height); y++) {
      data.fill(level, y * PLANE_WIDTH + Math.max(0, left), y * PLANE_WIDTH + Math.min(PLANE_WIDTH, left + width));
    }
  });
  return { width: PLANE_WIDTH, height: PLANE_HEIGHT, data };
}

/** Returns the corners of an upright rectangle, in fractions of the picture. */
export function rectangle(
  left: number,
  top: number,
  right: number,
  bottom: number,
): readonly (readonly [number, number])[] {
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
}
