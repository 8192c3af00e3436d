import { configureImages, decodeLuma } from '../../agent/capture/jpeg.js';
import { Capture } from '../../agent/capture/capture.js';
import { Detector } from '../../agent/capture/detect/detector.js';
import { sharpnessOf } from '../../agent/capture/picture-choice.js';
import { plainKernels } from '../../agent/capture/detect/kernel/plain.js';
import { simdKernels } from '../../agent/capture/detect/kernel/simd.js';
import { Counters } from '../../common/counters.js';
import { silentLog } from '../../common/log.js';
import type { LumaPlane } from '../../hal/camera.js';
import { SceneRenderer, type RenderedFrame } from '../../hal/mock/renderer.js';
import { buildScript } from '../../hal/mock/scenarios.js';
import { sharp } from '../images.js';
import { compare, cpuUs, type Figure } from './measure.js';
import type { BenchWorld } from './world.js';

const FRAMES = 60;
const SMALL_WIDTH = 160;
const FRAME_MS = 100;
/** After so long fewer frames are looked at, and the background is learnt. */
const QUIET_SECONDS = 6;
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
  say('a quiet scene …');
  const quiet: RenderedFrame[] = [];
  const renderer = new SceneRenderer(buildScript('porch', 'quiet', 11));
  for (let i = 0; i < FRAMES; i++) quiet.push(await renderer.render(i * FRAME_MS));
  const { idleFramesPerSecond } = world.settings;
  const [few, all] = [await watching(world, quiet, idleFramesPerSecond), await watching(world, quiet, 1000 / FRAME_MS)];
  const name = `a quiet second, ${String(idleFramesPerSecond)} of 10 frames looked at`;
  figures.push(await compare(name, few, 'all looked at', all, cpuUs));
  return figures;
}

/** A second of a live camera, from JPEG to what is seen in its frames; it has been quiet for a while. */
async function watching(
  world: BenchWorld,
  frames: readonly RenderedFrame[],
  idleFramesPerSecond: number,
): Promise<() => Promise<void>> {
  const info = { driver: 'mock', model: '', width: 640, height: 360, framesPerSecond: 10, timeBase: 'live' } as const;
  const settings = { ...world.settings, idleFramesPerSecond };
  const capture = new Capture(info, settings, {
    counters: new Counters(),
    log: silentLog,
    wallMsOf: () => null,
    onTransition: () => undefined,
    onScene: () => undefined,
  });
  let index = 0;
  const second = async (): Promise<void> => {
    for (let i = 0; i < 1000 / FRAME_MS; i++) {
      const monotonicMs = ++index * FRAME_MS;
      const jpeg = frames[index % FRAMES]?.jpeg ?? new Uint8Array(0);
      await capture.inspectFrame({ jpeg, monotonicMs, index }, monotonicMs);
    }
  };
  for (let i = 0; i < QUIET_SECONDS; i++) await second();
  return second;
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
