import { configureImages, decodeLuma } from '../../agent/capture/jpeg.js';
import { Detector } from '../../agent/capture/detector.js';
import { sharpnessOf } from '../../agent/capture/picture-choice.js';
import { plainKernels } from '../../agent/capture/kernel/plain.js';
import { simdKernels } from '../../agent/capture/kernel/simd.js';
import type { LumaPlane } from '../../hal/camera.js';
import { sharp } from '../images.js';
import { compare, cpuUs, type Figure } from './measure.js';
import type { BenchWorld } from './world.js';

const FRAMES = 60;
const SMALL_WIDTH = 160;
/** Somebody near, who takes an eighth of the picture. */
const SUBJECT = { left: 0.3, top: 0.2, width: 0.2, height: 0.625 };

/**
 * CPU time of a frame in the detector, from 640×360 of luma and scaling included, beside decoding the same frame's JPEG: somebody
 * walks through, so that everything is at work. The memory pass is the least that anything could take.
 */
export async function benchDetector(world: BenchWorld, say: (text: string) => void): Promise<Figure[]> {
  configureImages();
  say('drawing frames …');
  const frames = await world.frames(FRAMES);
  const planes = await Promise.all(frames.map(({ jpeg }) => greyOf(jpeg)));
  const figures: Figure[] = [];
  for (const [name, kernels] of [
    ['SIMD', simdKernels],
    ['plain', plainKernels],
  ] as const) {
    const detector = new Detector(world.settings.detector, kernels());
    let index = 0;
    const detect = (): unknown => detector.observe(planes[++index % FRAMES] ?? none, index * 100, index);
    let decoded = 0;
    const jpeg = (): Uint8Array => frames[++decoded % FRAMES]?.jpeg ?? new Uint8Array(0);
    say(`detector, ${name} …`);
    const beside = async (floor: string, work: () => unknown): Promise<void> => {
      figures.push(await compare(`detect from 640×360, ${name}`, detect, floor, work, cpuUs));
    };
    if (name === 'SIMD') {
      const sharpness = (): unknown => sharpnessOf(planes[++index % FRAMES] ?? none, SUBJECT);
      figures.push(await compare('sharpness of a subject', sharpness, 'detect from 640×360, SIMD', detect, cpuUs));
    }
    await beside('sharp: the JPEG in grey, whole', () => sharp(jpeg()).toColourspace('b-w').raw().toBuffer());
    await beside('the JPEG to 160 px of grey', () => decodeLuma(jpeg(), SMALL_WIDTH));
    await beside('a bare pass over the luma', () => sumOf((planes[++decoded % FRAMES] ?? none).data));
  }
  return figures;
}

/** For docs/detector.md: ratios, since times are one machine's on one day. */
export function detectorTable(figures: readonly Figure[]): string {
  return [
    '',
    '| | floor | ratio |',
    '|---|---|---|',
    ...figures.map(({ name, floor, ratio }) => `| ${name} | ${floor} | ${ratio.toFixed(2)} |`),
    '',
  ].join('\n');
}

const none: LumaPlane = { width: 0, height: 0, data: new Uint8Array(0) };

function sumOf(data: Uint8Array): number {
  let sum = 0;
  // Not for-of, whose iterator would be timed with it.
  for (let i = 0, value = data[0]; value !== undefined; value = data[++i]) sum += value;
  return sum;
}

async function greyOf(jpeg: Uint8Array): Promise<LumaPlane> {
  const { data, info } = await sharp(jpeg).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: new Uint8Array(data) };
}
