import { decodeLuma } from '../../agent/capture/jpeg.js';
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
/** Time after which fewer frames are inspected and the background is learnt. */
const QUIET_S = 6;
/** A near person, who takes an eighth of the picture. */
const SUBJECT = { left: 0.3, top: 0.2, width: 0.2, height: 0.625 };

/**
 * Measures the CPU time of a frame in the detector, scaling from 640×360 included, beside decoding the frame's JPEG. A
 * person walks through, so that every part works. A bare pass over the luma plane is the lower bound of any detector.
 */
export async function benchDetector(world: BenchWorld, progress: (text: string) => void): Promise<Figure[]> {
  progress('drawing frames …');
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
    progress(`detector, ${name} …`);
    const beside = async (floor: string, work: () => unknown): Promise<void> => {
      figures.push(
        await compare({
          name: `detect from 640×360, ${name}`,
          work: detect,
          floor,
          floorWork: work,
          now: cpuUs,
        }),
      );
    };
    if (name === 'SIMD') {
      const sharpness = (): unknown => sharpnessOf(planes[++index % FRAMES] ?? none, SUBJECT);
      figures.push(
        await compare({
          name: 'sharpness of a subject',
          work: sharpness,
          floor: 'detect from 640×360, SIMD',
          floorWork: detect,
          now: cpuUs,
        }),
      );
    }
    await beside('sharp: the JPEG in grey, whole', () => sharp(jpeg()).toColourspace('b-w').raw().toBuffer());
    await beside('the JPEG to 160 px of grey', () => decodeLuma(jpeg(), SMALL_WIDTH));
    await beside('a bare pass over the luma', () => sumOf((planes[++decoded % FRAMES] ?? none).data));
  }
  progress('a quiet scene …');
  const quiet: RenderedFrame[] = [];
  const renderer = new SceneRenderer(buildScript('porch', 'quiet', 11));
  for (let i = 0; i < FRAMES; i++) quiet.push(await renderer.render(i * FRAME_MS));
  const { idleFramesPerSecond } = world.settings;
  const few = await watching(world, quiet, idleFramesPerSecond);
  const all = await watching(world, quiet, 1000 / FRAME_MS);
  const name = `a quiet second, ${String(idleFramesPerSecond)} of 10 frames looked at`;
  figures.push(await compare({ name, work: few, floor: 'all looked at', floorWork: all, now: cpuUs }));
  return figures;
}

/** Returns work that handles a second of a live camera, from JPEG to detection, after some quiet seconds. */
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
  for (let i = 0; i < QUIET_S; i++) await second();
  return second;
}

/** Formats figures for docs/detector.md: ratios alone, since times are those of one machine on one day. */
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
  // Not for-of: its iterator would be timed too.
  for (let i = 0, value = data[0]; value !== undefined; value = data[++i]) sum += value;
  return sum;
}

async function greyOf(jpeg: Uint8Array): Promise<LumaPlane> {
  const { data, info } = await sharp(jpeg).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: new Uint8Array(data) };
}
