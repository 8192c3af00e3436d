import { describe, expect, it } from 'vitest';
import { Capture } from '../../../../agent/capture/capture.js';
import { Detector } from '../../../../agent/capture/detect/detector.js';
import { plainKernels } from '../../../../agent/capture/detect/kernel/plain.js';
import { simdKernels } from '../../../../agent/capture/detect/kernel/simd.js';
import { loadAgentConfig } from '../../../../agent/config/keys.js';
import { captureSettings } from '../../../../agent/main/settings.js';
import { Counters } from '../../../../common/counters.js';
import { silentLog } from '../../../../common/log.js';
import { seededRandom } from '../../../../common/seeded-random.js';
import type { Frame, LumaPlane } from '../../../../hal/camera.js';
import { keptOutsideHeap } from '../../../support/runner/memory.js';

const settings = captureSettings(loadAgentConfig({ file: null, environment: {} }));

/** Texture and noise, with a person of 8×22 pixels whose left edge is at `x`. */
function scene(index: number, x: number | null = null, width = 160, height = 90): LumaPlane {
  const { uniform } = seededRandom(index + 1);
  const data = Uint8Array.from({ length: width * height }, (_, i) => {
    const px = i % width;
    const py = Math.floor(i / width);
    if (x !== null && px >= x && px < x + 8 && py >= 40 && py < 62) return 30;
    return 100 + ((px >> 3) % 2) * 34 + ((py >> 3) % 2) * 22 + Math.round((uniform() - 0.5) * 8);
  });
  return { width, height, data };
}

const even = (value: number): LumaPlane => ({ width: 160, height: 90, data: new Uint8Array(160 * 90).fill(value) });
const blank = (width: number, height: number, length = width * height): LumaPlane => {
  return { width, height, data: new Uint8Array(length).fill(90) };
};
/** A person walks from the third to the ninth second. */
const walker = (index: number, fps: number): LumaPlane => {
  const second = index / fps;
  return scene(index, second >= 3 && second < 9 ? Math.round(10 + (second - 3) * 20) : null);
};

interface Shown {
  readonly reasons: Set<string>;
  readonly events: readonly string[];
  readonly scenes: readonly string[];
  readonly counters: Counters;
  readonly spans: readonly (readonly [number, number])[];
}

interface Stream {
  readonly frames: number;
  readonly fps?: number;
  readonly at: (index: number) => Partial<Frame> & { readonly luma: LumaPlane };
}

async function show({ frames, fps = 10, at }: Stream): Promise<Shown> {
  const counters = new Counters();
  const reasons = new Set<string>();
  const events: string[] = [];
  const scenes: string[] = [];
  const spans: [number, number][] = [];
  const info = {
    driver: 'mock',
    model: 'bad',
    width: 640,
    height: 360,
    framesPerSecond: fps,
    timeBase: 'live',
  } as const;
  const capture = new Capture(info, settings, {
    counters,
    log: silentLog,
    onScene: (one) => scenes.push(one.class),
    wallMsOf: () => null,
    onTransition: (one) => {
      events.push(one.type);
      if (one.type === 'end') spans.push([one.span.onsetMs, one.endMs]);
    },
  });
  for (let index = 0; index < frames; index++) {
    const frame = { jpeg: new Uint8Array(0), monotonicMs: (index * 1000) / fps, index, ...at(index) };
    await capture.inspectFrame(frame, (index * 1000) / fps);
    if (capture.lastInspection !== null) reasons.add(capture.lastInspection.observation.reason);
  }
  capture.finish();
  return { reasons, events: events.filter((type) => type !== 'update'), scenes, counters, spans };
}

interface Expected {
  readonly reasons?: readonly string[];
  readonly only?: readonly string[];
  readonly events: readonly string[];
  readonly scenes?: readonly string[];
  readonly counted?: Readonly<Record<string, number>>;
}

const TABLE: readonly (readonly [string, Stream, Expected])[] = [
  [
    'a narrower picture while a person walks',
    { frames: 120, at: (i) => ({ luma: i < 60 ? walker(i, 10) : scene(i, null, 120, 90) }) },
    { reasons: ['motion', 'resized', 'still'], events: ['start', 'end'] },
  ],
  [
    'a picture on its side with a person in it',
    { frames: 60, at: (i) => ({ luma: i < 40 ? scene(i) : scene(i, 20, 90, 160) }) },
    { reasons: ['resized', 'still'], events: [] },
  ],
  [
    'another size in every frame',
    { frames: 200, at: (i) => ({ luma: scene(i, null, 160 - 8 * (i % 3), 90) }) },
    { only: ['starting', 'resized'], events: [] },
  ],
  ['all black', { frames: 80, at: () => ({ luma: even(0) }) }, { only: ['starting', 'still'], events: [] }],
  ['all white', { frames: 80, at: () => ({ luma: even(255) }) }, { only: ['starting', 'still'], events: [] }],
  [
    'black, then a picture, then white',
    { frames: 150, at: (i) => ({ luma: i < 50 ? even(0) : i < 100 ? scene(i) : even(255) }) },
    { reasons: ['light', 'still'], events: [], scenes: ['illumination', 'tamper'] },
  ],
  ['alternating black and white', { frames: 100, at: (i) => ({ luma: even(i % 2 === 0 ? 0 : 255) }) }, { events: [] }],
  [
    'a clock that jumps back and stays there',
    { frames: 120, at: (i) => ({ luma: walker(i, 10), monotonicMs: i < 50 ? 60_000 + i * 100 : i * 100 }) },
    { reasons: ['motion', 'starting'], events: ['start', 'end', 'start', 'end'], counted: { 'frames.backwards': 10 } },
  ],
  [
    'one frame from yesterday',
    { frames: 120, at: (i) => ({ luma: walker(i, 10), monotonicMs: i === 50 ? -86_400_000 : i * 100 }) },
    { reasons: ['motion'], events: ['start', 'end'], counted: { 'frames.backwards': 1 } },
  ],
  [
    'one frame from tomorrow',
    { frames: 120, at: (i) => ({ luma: scene(i), monotonicMs: i === 50 ? 86_400_000 : i * 100 }) },
    { only: ['starting', 'still', 'too-small'], events: [], counted: { 'frames.backwards': 10 } },
  ],
  [
    'times that are not numbers',
    { frames: 30, at: (i) => ({ luma: scene(i), monotonicMs: i < 10 ? i * 100 : NaN }) },
    { only: ['starting'], events: [], counted: { 'frames.backwards': 20 } },
  ],
  [
    'time that stands still',
    { frames: 60, at: (i) => ({ luma: scene(i), monotonicMs: 0 }) },
    { only: ['starting'], events: [] },
  ],
  [
    'one frame a second',
    { frames: 20, fps: 1, at: (i) => ({ luma: walker(i, 1) }) },
    { reasons: ['motion'], events: ['start', 'end'] },
  ],
  [
    '30 frames a second',
    { frames: 360, fps: 30, at: (i) => ({ luma: walker(i, 30) }) },
    { reasons: ['motion'], events: ['start', 'end'] },
  ],
  [
    'pictures that are empty, tiny, huge, or short of pixels',
    {
      frames: 8,
      at: (i) => ({
        luma:
          [blank(0, 0), blank(1, 1), blank(300, 3), blank(320, 4000), blank(8001, 6000, 9), blank(160, 90, 100)][
            i % 6
          ] ?? blank(0, 0),
      }),
    },
    { only: [], events: [], counted: { 'frames.corrupt': 8 } },
  ],
  [
    'a stream that freezes on a walking person and resumes on an empty scene',
    {
      frames: 200,
      at: (i) => (i < 50 ? { luma: walker(i, 10) } : i < 130 ? { luma: walker(50, 10) } : { luma: scene(i) }),
    },
    { reasons: ['motion', 'still'], events: ['start', 'end'], scenes: ['stall', 'stall'] },
  ],
];

describe('a bad stream', () => {
  it.each(TABLE)('%s', async (_, stream, expected) => {
    const { reasons, events, scenes, counters, spans } = await show(stream);
    expect([...reasons]).toEqual(expect.arrayContaining([...(expected.reasons ?? [])]));
    if (expected.only !== undefined) expect(expected.only).toEqual(expect.arrayContaining([...reasons]));
    expect(events).toEqual(expected.events);
    if (expected.scenes !== undefined) expect(scenes).toEqual(expected.scenes);
    for (const [name, count] of Object.entries(expected.counted ?? {})) expect(counters.get(name), name).toBe(count);
    for (const [onsetMs, endMs] of spans) expect(endMs).toBeGreaterThanOrEqual(onsetMs);
  });

  describe.each([
    ['simd', simdKernels],
    ['plain', plainKernels],
  ])('of changing sizes, with the %s kernels', (_, makeKernels) => {
    const growthMaxBytes = 4 * 2 ** 20;
    const kept: Detector[] = [];
    const add = (): Detector => {
      const detector = new Detector(settings.detector, makeKernels());
      kept.push(detector);
      return detector;
    };
    /** Bytes held after `count` sizes, beyond those of the largest. */
    const growth = (count: number, detectorOf: (first: Detector) => Detector): number => {
      kept.splice(0);
      const first = add();
      first.observe(blank(240, 160), 0, 0);
      const before = keptOutsideHeap();
      for (let i = 1; i < count; i++) {
        detectorOf(first).observe(blank(100 + (i % 140), 60 + (i % 100)), i * 100, i);
      }
      return keptOutsideHeap() - before;
    };

    it('needs no more memory for a thousand sizes than for the largest', () => {
      expect(growth(1000, (first) => first)).toBeLessThan(growthMaxBytes);
    });

    it('would show it if each of fifty were kept: the control', () => {
      expect(growth(50, add)).toBeGreaterThan(growthMaxBytes);
    });
  });
});
