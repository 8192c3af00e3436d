import { describe, expect, it } from 'vitest';
import sharp from 'sharp';
import { Counters } from '../../../../common/counters.js';
import { seededRandom } from '../../../../common/seeded-random.js';
import { silentLog } from '../../../../common/log.js';
import { SceneLog } from '../../../../agent/capture/scene-log.js';
import { Capture, type CaptureSettings } from '../../../../agent/capture/capture.js';
import { Detector } from '../../../../agent/capture/detect/detector.js';
import type { Observation } from '../../../../agent/capture/detect/observation.js';
import { EventTracker, type Transition } from '../../../../agent/capture/event-tracker.js';
import { decodeLuma, fitThumbnail, makeThumbnail } from '../../../../agent/capture/jpeg.js';
import { isInside, zoneMask, zonesOf } from '../../../../agent/capture/detect/zones.js';
import type { Frame, LumaPlane } from '../../../../hal/camera.js';
import { asyncCodeOf } from '../../../support/codes.js';
import type { Paint } from '../../../support/planes.js';

const WIDTH = 160;
const HEIGHT = 90;
const settings = { sensitivity: 50, zones: [], minDurationMs: 300 };

/** Returns a noisy luma plane with texture, on which `paint` draws what moves. */
function plane(index: number, paint: (data: Uint8Array, set: Paint) => void = () => undefined): LumaPlane {
  const { uniform } = seededRandom(index + 1);
  const data = new Uint8Array(WIDTH * HEIGHT);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      data[y * WIDTH + x] = 100 + ((x >> 3) % 2) * 14 + ((y >> 3) % 2) * 9 + Math.round((uniform() - 0.5) * 8);
    }
  }
  paint(data, ([left, top, w, h], value) => {
    for (let y = top; y < top + h; y++) for (let x = left; x < left + w; x++) data[y * WIDTH + x] = value;
  });
  return { width: WIDTH, height: HEIGHT, data };
}

/** Feeds the detector 10 frames a second, and returns its observations. */
function observeFrames(
  frames: number,
  at: (index: number) => LumaPlane,
  detector = new Detector(settings),
): Observation[] {
  return Array.from({ length: frames }, (_, i) => detector.observe(at(i), i * 100, i));
}

const person = (index: number, from: number): LumaPlane =>
  plane(index, (_, set) => {
    if (index >= from && index < from + 40) set([10 + (index - from) * 3, 40, 8, 22], 30);
  });

describe('detector', () => {
  it('finds no motion in noise', () => {
    expect(observeFrames(100, (i) => plane(i)).filter(({ motion }) => motion)).toEqual([]);
  });

  it('detects a walking person soon after the start, and only while they walk', () => {
    const motion = observeFrames(100, (i) => person(i, 30)).flatMap((observation, i) =>
      observation.motion ? [i] : [],
    );
    expect(motion[0]).toBeGreaterThanOrEqual(32);
    expect(motion[0]).toBeLessThanOrEqual(36);
    expect(motion.at(-1)).toBeLessThanOrEqual(75);
    expect(motion.length).toBeGreaterThan(30);
  });

  it('returns a box around the person, in fractions of the picture', () => {
    const { box, area, sinceFrame } = observeFrames(51, (i) => person(i, 30))[50] ?? {};
    expect(box?.left).toBeCloseTo(70 / WIDTH, 1);
    expect(box?.top).toBeCloseTo(40 / HEIGHT, 1);
    expect(area).toBeGreaterThan(0.008);
    expect(sinceFrame).toBeLessThanOrEqual(32);
  });

  it('gives a reason for each frame that is not motion', () => {
    const reasons = (paint: Parameters<typeof plane>[1], from = 30): Set<string> =>
      new Set(
        observeFrames(60, (i) => plane(i, i >= from ? paint : undefined))
          .slice(from)
          .map(({ reason }) => reason),
      );
    expect(observeFrames(3, (i) => plane(i)).map(({ reason }) => reason)).toEqual(['starting', 'starting', 'starting']);
    expect(
      reasons((_, set) => {
        set([50, 40, 3, 3], 20);
      }),
    ).not.toContain('motion');
    const lamp = reasons((data) => {
      for (let i = 0; i < data.length; i++) data[i] = Math.min(255, (data[i] ?? 0) + 90);
    });
    expect(lamp).not.toContain('motion');
  });

  it('learns a slow change of light without motion', () => {
    const ramp = (i: number): LumaPlane =>
      plane(i, (data) => {
        for (let k = 0; k < data.length; k++) data[k] = Math.min(255, (data[k] ?? 0) * (0.6 + i / 250));
      });
    expect(observeFrames(150, ramp).filter(({ motion }) => motion)).toEqual([]);
  });

  it('counts motion only in its zones', () => {
    const left = {
      name: 'left',
      corners: [
        [0, 0],
        [0.2, 0],
        [0.2, 1],
        [0, 1],
      ] as const,
    };
    const motion = observeFrames(100, (i) => person(i, 30), new Detector({ ...settings, zones: [left] })).flatMap(
      (observation, i) => (observation.motion ? [i] : []),
    );
    expect(motion.length).toBeGreaterThan(2);
    expect(motion.at(-1)).toBeLessThan(50);
  });

  it('starts again when the size changes in mid-stream', () => {
    const detector = new Detector(settings);
    observeFrames(20, (i) => plane(i), detector);
    const small = { width: 80, height: 45, data: new Uint8Array(80 * 45).fill(100) };
    expect(detector.observe(small, 2000, 20).reason).toBe('resized');
    expect(detector.observe(small, 2100, 21).motion).toBe(false);
  });

  it('starts again when the driver no longer shrinks its planes', () => {
    const [small, large] = [
      [160, 90],
      [640, 360],
    ].map(([width = 0, height = 0]) => ({ width, height, data: new Uint8Array(width * height).fill(100) }));
    const detector = new Detector(settings);
    for (const shown of [small, large, small]) {
      if (shown === undefined) throw new Error('no plane');
      expect(detector.differs(shown)).toBe(true);
      detector.observe(shown, 0, 0);
      expect(detector.differs(shown)).toBe(false);
    }
  });

  it('is pure: the same frames give the same observations', () => {
    expect(observeFrames(60, (i) => person(i, 20))).toEqual(observeFrames(60, (i) => person(i, 20)));
  });
});

describe('zones', () => {
  const triangle = {
    name: 'triangle',
    corners: [
      [0, 0],
      [1, 0],
      [0, 1],
    ] as const,
  };

  it('cover points, pixels and boxes that lie inside', () => {
    expect(isInside(triangle, 0.2, 0.2)).toBe(true);
    expect(isInside(triangle, 0.8, 0.8)).toBe(false);
    expect([...zoneMask([triangle], 4, 4)]).toEqual([1, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(zoneMask([], 4, 4)).toEqual(new Uint8Array(16).fill(1));
    expect(zonesOf([triangle], { left: 0.1, top: 0.1, width: 0.1, height: 0.1 })).toEqual(['triangle']);
    expect(zonesOf([triangle], { left: 0.8, top: 0.7, width: 0.1, height: 0.1 })).toEqual([]);
  });
});

describe('events', () => {
  const observed = (area: number): Observation => ({
    motion: area > 0,
    reason: area > 0 ? 'motion' : 'still',
    area,
    zones: [],
    sinceFrame: 0,
    sinceMs: 0,
    scene: null,
    subjects: area > 0 ? [1] : [],
    box: area > 0 ? { left: 0.4, top: 0.4, width: 0.1, height: 0.2 } : null,
  });
  const tracker = (): EventTracker<string> =>
    new EventTracker({ holdMs: 1000, cooldownMs: 2000, maxDurationMs: 10_000 });

  function play(areas: readonly number[], stepMs = 500, events = tracker()): (Transition<string> & { at: number })[] {
    return areas.flatMap((area, i) =>
      events
        .advance(observed(area), { frame: `frame ${String(i)}`, index: i, timeMs: i * stepMs })
        .map((transition) => ({ ...transition, at: i })),
    );
  }

  it('start with their own frame and end at the last motion', () => {
    const [start, end] = play([0, 0.1, 0.1, 0, 0, 0]);
    expect(start).toMatchObject({ type: 'start', at: 1, sighting: { frame: 'frame 1' } });
    expect(end).toMatchObject({ type: 'end', at: 4, endFrame: 2, endMs: 1000, reason: 'motion-ended', sighting: null });
  });

  it('send a clearly better picture as an update, after a minimum wait', () => {
    const transitions = play([0.1, 0.12, 0.3, 0.4, 0.4, 0.2, 0, 0, 0]);
    expect(transitions.map(({ type, at }) => `${type} ${String(at)}`)).toEqual(['start 0', 'update 3', 'end 7']);
    expect(transitions[1]).toMatchObject({ sighting: { frame: 'frame 3', area: 0.4 } });
  });

  it('carry the best frame at the end when it was not sent before', () => {
    const end = play([0.1, 0.2, 0, 0, 0]).at(-1);
    expect(end).toMatchObject({ type: 'end', peakArea: 0.2, sighting: { frame: 'frame 1' } });
  });

  it('are separated by the cooldown, after which ongoing motion is an event again', () => {
    const starts = play([0.1, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.1]).filter(({ type }) => type === 'start');
    expect(starts.map(({ at }) => at)).toEqual([0, 4]);
  });

  it('end after the maximum duration, and start again', () => {
    const types = play(Array.from({ length: 40 }, () => 0.1)).map(({ type, at }) => `${type} ${String(at)}`);
    expect(types).toEqual(['start 0', 'end 20', 'start 24']);
  });

  it('end with the stream', () => {
    const events = tracker();
    play([0.1, 0.1], 500, events);
    expect(events.finish(9, 4500)).toMatchObject([{ type: 'end', endFrame: 9, reason: 'stream-ended' }]);
    expect(events.finish(9, 4500)).toEqual([]);
  });
});

async function jpeg(width: number, height: number): Promise<Buffer> {
  const random = seededRandom(7);
  return sharp(Buffer.from(random.bytes(width * height * 3)), { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 95 })
    .withExif({ IFD0: { Copyright: 'somebody', Make: 'a camera' } })
    .toBuffer();
}

describe('pictures', () => {
  it('are JPEG of the width asked for, without EXIF', async () => {
    const source = await jpeg(640, 360);
    expect((await sharp(source).metadata()).exif).toBeDefined();
    const thumbnail = await makeThumbnail(source, 320, 75, []);
    const metadata = await sharp(thumbnail.jpeg).metadata();
    expect(metadata).toMatchObject({ format: 'jpeg', width: 320, height: 180 });
    expect(metadata.exif).toBeUndefined();
    expect(Buffer.from(thumbnail.jpeg).includes('somebody')).toBe(false);
  });

  it('are upright for any orientation tag', async () => {
    const turned = await sharp(await jpeg(200, 100))
      .withMetadata({ orientation: 6 })
      .toBuffer();
    expect(await makeThumbnail(turned, 320, 75, [])).toMatchObject({ width: 100, height: 200 });
  });

  it('are reduced until they fit; null where none fits', async () => {
    const source = await jpeg(640, 640);
    const fitted = await fitThumbnail(source, { width: 640, quality: 95, masks: [] }, 60_000);
    expect(fitted?.jpeg.length).toBeLessThanOrEqual(60_000);
    expect(await fitThumbnail(source, { width: 640, quality: 95, masks: [] }, 500)).toBeNull();
  });

  it.each([
    ['empty', Buffer.alloc(0)],
    ['text', Buffer.from('this is not a picture')],
    ['a PNG', Buffer.from('89504e470d0a1a0a', 'hex')],
    ['a JPEG start marker alone', Buffer.from('ffd8ffdb0004', 'hex')],
  ])('are refused: %s', async (_, bytes) => {
    expect(await asyncCodeOf(() => decodeLuma(bytes, 160))).toBe('frame-corrupt');
    expect(await asyncCodeOf(() => makeThumbnail(bytes, 320, 75, []))).toBe('frame-corrupt');
  });

  it('are refused when they are truncated', async () => {
    const whole = await jpeg(640, 360);
    expect(await asyncCodeOf(() => makeThumbnail(whole.subarray(0, whole.length / 2), 320, 75, []))).toBe(
      'frame-corrupt',
    );
    expect(await asyncCodeOf(() => decodeLuma(whole, 160))).toBe('accepted');
  });

  it('accept greyscale and CMYK', async () => {
    const source = await jpeg(320, 180);
    const grey = await sharp(source).greyscale().jpeg().toBuffer();
    const cmyk = await sharp(source).toColourspace('cmyk').jpeg().toBuffer();
    for (const picture of [grey, cmyk]) {
      expect(await decodeLuma(picture, 160)).toMatchObject({ width: 160, height: 90 });
      expect((await makeThumbnail(picture, 320, 75, [])).width).toBe(320);
    }
  });
});

describe('capture', () => {
  const captureSettings: CaptureSettings = {
    lumaWidth: 160,
    idleFramesPerSecond: 30,
    detector: settings,
    events: { holdMs: 1000, cooldownMs: 0, maxDurationMs: 60_000 },
  };
  const info = {
    driver: 'mock',
    model: 'test',
    width: 640,
    height: 360,
    framesPerSecond: 10,
    timeBase: 'live',
  } as const;
  const frame = (index: number, change: Partial<Frame> = {}): Frame => ({
    jpeg: new Uint8Array([1, 2, 3]),
    monotonicMs: index * 100,
    index,
    ...change,
  });

  it('counts corrupt frames and continues', async () => {
    const counters = new Counters();
    const capture = new Capture(info, captureSettings, {
      counters,
      log: silentLog,
      onTransition: () => undefined,
      onScene: () => undefined,
      wallMsOf: () => null,
    });
    for (let i = 0; i < 5; i++) await capture.inspectFrame(frame(i), i * 100);
    await capture.inspectFrame(frame(5, { luma: plane(5) }), 500);
    expect(counters.snapshot()).toEqual({ 'camera.blind': 1, 'frames.corrupt': 5, 'frames.seen': 6 });
    expect(capture.lastInspection?.index).toBe(5);
  });

  it('drops late live frames and counts lost ones, but drops no recorded frame', async () => {
    for (const [timeBase, dropped] of [['live', 4] as const, ['recorded', 0] as const]) {
      const counters = new Counters();
      const capture = new Capture({ ...info, timeBase }, captureSettings, {
        counters,
        log: silentLog,
        onTransition: () => undefined,
        onScene: () => undefined,
        wallMsOf: () => null,
      });
      await capture.inspectFrame(frame(0, { luma: plane(0) }), 10);
      await capture.inspectFrame(frame(4, { luma: plane(4) }), 410);
      await capture.inspectFrame(frame(5, { luma: plane(5) }), 9000);
      expect(counters.get('frames.dropped')).toBe(dropped);
    }
  });

  it('reports a changed scene once a minute while a lamp flickers', async () => {
    const counters = new Counters();
    const recorded: string[] = [];
    const scenes = new SceneLog({ counters, log: silentLog, onRecord: (scene) => recorded.push(scene.class) });
    const capture = new Capture(info, captureSettings, {
      counters,
      log: silentLog,
      onTransition: () => undefined,
      onScene: (scene, monotonicMs) => {
        scenes.recordScene(scene, monotonicMs);
      },
      wallMsOf: () => null,
    });
    for (let i = 0; i < 400; i++) {
      const lit = Math.floor(i / 20) % 2 === 1;
      const luma = plane(i, (data) => {
        if (lit) for (let k = 0; k < data.length; k++) data[k] = (data[k] ?? 0) + (k % WIDTH < WIDTH / 2 ? 60 : 20);
      });
      await capture.inspectFrame(frame(i, { luma }), i * 100);
    }
    expect(counters.get('scenes.illumination')).toBeGreaterThan(3);
    expect(recorded).toEqual(['illumination']);
  });

  it.each([96, 320])('detects the same person on a plane %i pixels wide', async (lumaWidth) => {
    const seen: string[] = [];
    const capture = new Capture(
      info,
      { ...captureSettings, lumaWidth },
      {
        counters: new Counters(),
        log: silentLog,
        onTransition: ({ type }) => seen.push(type),
        onScene: () => undefined,
        wallMsOf: () => null,
      },
    );
    for (let i = 0; i < 90; i++) {
      const { data, width, height } = person(i, 30);
      const raw = { width, height, channels: 1 } as const;
      const jpeg = await sharp(data, { raw }).resize({ width: 320 }).jpeg({ quality: 90 }).toBuffer();
      await capture.inspectFrame(frame(i, { jpeg }), i * 100);
    }
    expect(seen[0]).toBe('start');
    expect(seen.at(-1)).toBe('end');
    expect(seen.filter((type) => type === 'start')).toHaveLength(1);
  });
});
