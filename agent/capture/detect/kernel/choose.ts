import { seededRandom } from '../../../../common/seeded-random.js';
import type { Kernels } from './kernels.js';
import { Planes } from './layout.js';
import { plainKernels } from './plain.js';
import { simdKernels } from './simd.js';

/** A small picture, because a start waits for it, with padding at its right and enough pixels for every lane. */
const CHECK_WIDTH_PIXELS = 40;
const CHECK_HEIGHT_PIXELS = 12;
/** Random values in a plane before they repeat: no divisor of a width, so that every lane gets other ones in every row. */
const CHECK_VALUES = 509;

let isSimdSound: boolean | null = null;

/** Returns the SIMD kernels where they run here and give the bits of the plain ones, checked once; else the plain ones. */
export function bestKernels(): Kernels {
  isSimdSound ??= isSound(simdKernels);
  return isSimdSound ? simdKernels() : plainKernels();
}

/** Runs one picture through these kernels and the plain ones. Returns false where the bits differ or an instruction is missing. */
export function isSound(make: () => Kernels): boolean {
  try {
    return resultOf(make()) === resultOf(plainKernels());
  } catch {
    return false;
  }
}

/** Returns everything that the kernels make of one random picture, as text. */
function resultOf(kernels: Kernels): string {
  const { layout, memory } = kernels.place(
    CHECK_WIDTH_PIXELS,
    CHECK_HEIGHT_PIXELS,
    CHECK_WIDTH_PIXELS * CHECK_HEIGHT_PIXELS * 16,
  );
  const planes = new Planes(memory, layout);
  const { uniform } = seededRandom(1);
  const fill = (plane: Uint8Array | Int16Array, largest: number): void => {
    const drawn = Math.min(CHECK_VALUES, plane.length);
    for (let i = 0; i < drawn; i++) plane[i] = Math.floor(uniform() * (largest + 1));
    for (let done = drawn; done < plane.length; done *= 2) plane.copyWithin(done, 0, done);
  };
  fill(planes.source, 255);
  fill(planes.mean, 32_640);
  fill(planes.deviation, 2000);
  fill(planes.flicker, 32_767);
  fill(planes.valid, 1);
  fill(planes.marked, 1);
  fill(planes.learning, 3);
  kernels.findRanges();
  kernels.shrink4();
  kernels.smooth();
  kernels.sumTiles();
  const first = [...planes.sums];
  kernels.subtract(9000, -40);
  fill(planes.shades, 800);
  fill(planes.floors, 300);
  fill(planes.edges, 9000);
  const marked = [kernels.classify(8192), kernels.denoise()];
  kernels.remember();
  kernels.learn(900, 500, 700, 90);
  const results = [planes.raw, planes.sums, planes.clean, planes.active, planes.flicker, planes.mean, planes.deviation];
  return JSON.stringify([first, marked, ...results.map((plane) => [...plane])]);
}
