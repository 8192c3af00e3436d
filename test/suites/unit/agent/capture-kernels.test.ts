import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../common/seeded-random.js';
import { bestKernels, isSound } from '../../../../agent/capture/detect/kernel/choose.js';
import type { Kernels } from '../../../../agent/capture/detect/kernel/kernels.js';
import { Planes, SHADE_UNIT } from '../../../../agent/capture/detect/kernel/layout.js';
import { plainKernels } from '../../../../agent/capture/detect/kernel/plain.js';
import { simdKernels } from '../../../../agent/capture/detect/kernel/simd.js';
import { compileKernels, TARGET } from '../../../../scripts/kernels.js';
import { read } from '../../../support/house/sources.js';

/** Largest value that each plane ever holds. */
const PLANE_MAX = {
  source: 255,
  raw: 255,
  mean: 32_640,
  deviation: 3072,
  flicker: 32_767,
  valid: 1,
  mask: 1,
  marked: 1,
  learning: 3,
  current: 2040,
  last: 2040,
} as const;

interface World {
  readonly kernels: Kernels;
  readonly planes: Planes;
  readonly memory: ArrayBuffer;
  readonly from: number;
}

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  readonly isExtreme: boolean;
}

/** Fills the planes of these kernels at random, or with their extremes. */
function world(kernels: Kernels, { width, height, seed, isExtreme }: Picture): World {
  const { layout, memory } = kernels.place(width, height, width * height * 16);
  const planes = new Planes(memory, layout);
  const { uniform } = seededRandom(seed);
  for (const [name, largest] of Object.entries(PLANE_MAX) as [keyof typeof PLANE_MAX, number][]) {
    const plane = planes[name];
    for (let i = 0; i < plane.length; i++) {
      const random = uniform();
      // Saturation and rounding would differ at the extremes.
      if (isExtreme) plane[i] = random < 0.5 ? 0 : largest;
      else plane[i] = Math.floor(random * (largest + 1));
    }
  }
  for (let i = 0; i < planes.floors.length; i++) planes.floors[i] = 1 + Math.floor(uniform() * 300);
  for (let i = 0; i < planes.edges.length; i++) planes.edges[i] = Math.floor(uniform() * 32_768);
  for (let i = 0; i < planes.shades.length; i++) planes.shades[i] = Math.round(uniform() * 8 * SHADE_UNIT) - SHADE_UNIT;
  return { kernels, planes, memory, from: layout.source };
}

function bytesOf({ memory, planes, from }: World): Buffer {
  return Buffer.from(memory, from, planes.layout.bytes - planes.layout.source);
}

const word = fc.integer({ min: 0, max: 32_767 });
const scene = fc.record({
  width: fc.integer({ min: 10, max: 80 }).map((quarter) => quarter * 4),
  height: fc.integer({ min: 8, max: 130 }),
  seed: fc.nat(),
  isExtreme: fc.boolean(),
  gain: fc.integer({ min: 2048, max: 32_000 }),
  offset: fc.integer({ min: -2040, max: 2040 }),
  deviations: word,
  rates: fc.tuple(word, word, word, word),
});

describe('kernels', () => {
  it('give the same bits in plain code and in SIMD for any picture', () => {
    fc.assert(
      fc.property(scene, ({ width, height, seed, isExtreme, gain, offset, deviations, rates }) => {
        const [plain, simd] = [plainKernels(), simdKernels()].map((kernels) =>
          world(kernels, { width, height, seed, isExtreme }),
        ) as [World, World];
        const both = (name: string, run: (kernels: Kernels) => unknown): void => {
          const results = [run(plain.kernels), run(simd.kernels)];
          if (results[0] !== results[1]) throw new Error(`${name} returns ${results.join(' and ')}`);
          if (!bytesOf(plain).equals(bytesOf(simd))) throw new Error(`${name} leaves other bytes`);
        };
        // These run before `smooth` overwrites the extremes of the picture.
        both('sumTiles', (kernels) => kernels.sumTiles());
        both('subtract', (kernels) => kernels.subtract(gain, offset));
        both('classify', (kernels) => kernels.classify(deviations));
        both('remember', (kernels) => kernels.remember());
        both('denoise', (kernels) => kernels.denoise());
        both('learn', (kernels) => kernels.learn(...rates));
        both('findRanges', (kernels) => kernels.findRanges());
        both('shrink4', (kernels) => kernels.shrink4());
        both('smooth', (kernels) => kernels.smooth());
      }),
      { numRuns: 60 },
    );
  });

  it('are checked before use: kernels that differ in a bit or lack an instruction are not used', () => {
    const wrong = (): Kernels => {
      const kernels = plainKernels();
      return { ...kernels, denoise: () => kernels.denoise() + 1 };
    };
    const missing = (): Kernels => {
      throw new Error('no such instruction');
    };
    expect([isSound(plainKernels), isSound(simdKernels), isSound(wrong), isSound(missing)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(bestKernels().name).toBe('simd');
  });

  it('are what the compiler makes of their source; `npm run kernels` writes them', () => {
    expect(read(TARGET)).toBe(compileKernels());
  });
});
