import type { Random } from '../../common/random.js';
import { seededRandom } from '../../common/seeded-random.js';
import type { LumaPlane } from '../../hal/camera.js';

/** Changes a frame as another camera or another day would change it. */
export type Change = (plane: LumaPlane, index: number, timeMs: number) => LumaPlane;

function each({ width, height, data }: LumaPlane, value: (grey: number, i: number) => number): LumaPlane {
  return { width, height, data: Uint8Array.from(data, (grey, i) => Math.max(0, Math.min(255, value(grey, i)))) };
}

/** Takes each pixel from another place. Beyond the edge, the edge is repeated. */
function moved(plane: LumaPlane, from: (x: number, y: number) => readonly [number, number]): LumaPlane {
  const { width, height, data } = plane;
  return each(plane, (_, i) => {
    const [x, y] = from(i % width, Math.floor(i / width));
    return data[Math.max(0, Math.min(height - 1, y)) * width + Math.max(0, Math.min(width - 1, x))] ?? 0;
  });
}

function halved({ width, height, data }: LumaPlane): LumaPlane {
  const w = width >> 1;
  const h = height >> 1;
  const at = (x: number, y: number): number => data[y * width + x] ?? 0;
  const small = Uint8Array.from({ length: w * h }, (_, i) => {
    const x = 2 * (i % w);
    const y = 2 * Math.floor(i / w);
    return (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) >> 2;
  });
  return { width: w, height: h, data: small };
}

function gaussian({ uniform }: Random): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += uniform();
  return sum;
}

/** Shade that moves across the picture; a higher steepness gives a harder edge. */
function shaded(share: number, steepness: number, slant: number): Change {
  return (plane, _, timeMs) =>
    each(plane, (grey, i) => {
      const along = ((i % plane.width) + slant * Math.floor(i / plane.width)) / plane.width;
      return grey * (1 - share * Math.max(0, Math.min(1, steepness * Math.sin(along * 2 - timeMs / 2500))));
    });
}

/** Returns the changes by name. Made for each run, since the noise source has a state. */
export function changes(): Readonly<Record<string, Change>> {
  const noise = seededRandom(1);
  return {
    'shaken by a pixel': (plane, i) => {
      const dx = Math.round(1.2 * Math.sin(i * 1.3));
      const dy = Math.round(0.8 * Math.cos(i * 0.9));
      return moved(plane, (x, y) => [x + dx, y + dy]);
    },
    '35 % of the light, noise of 3 grey levels': (plane) =>
      each(plane, (grey) => grey * 0.35 + 4 + 3 * gaussian(noise)),
    'gain hunting by 18 %': (plane, _, timeMs) => each(plane, (grey) => grey * (1 + 0.18 * Math.sin(timeMs / 1200))),
    'mains flicker of 6 %': (plane, i) => each(plane, (grey) => grey * (1 + 0.06 * ((i % 2) * 2 - 1))),
    '30 % of the contrast': (plane) => each(plane, (grey) => 90 + grey * 0.3),
    'upside down': (plane) => moved(plane, (x, y) => [plane.width - 1 - x, plane.height - 1 - y]),
    'half the resolution': halved,
    'a cloud crosses, 20 % darker': shaded(0.2, 2, 0),
    'a cloud crosses, 40 % darker': shaded(0.4, 2, 0),
    'a cloud crosses aslant, 50 % darker': shaded(0.5, 2, 1),
    'a shade with a hard edge crosses, 40 % darker': shaded(0.4, 20, 0),
  };
}
