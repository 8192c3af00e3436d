import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Observation } from '../../../../agent/capture/detect/observation.js';
import { EventTracker, type Transition } from '../../../../agent/capture/event-tracker.js';
import { FrameOrder } from '../../../../agent/capture/frame-order.js';
import { boxWithin, cropAround, PictureChoice, sharpnessOf } from '../../../../agent/capture/picture-choice.js';
import { seededRandom } from '../../../../common/seeded-random.js';
import type { LumaPlane } from '../../../../hal/camera.js';

const MIDDLE = { left: 0.4, top: 0.3, width: 0.2, height: 0.4 };
const AT_THE_EDGE = { ...MIDDLE, left: 0 };

const shot = (timeMs: number, area: number, box = MIDDLE): { timeMs: number; area: number; box: typeof MIDDLE } => ({
  timeMs,
  area,
  box,
});

describe('the choice of a picture', () => {
  const better = (area: number, sharpness: number, box = MIDDLE): boolean => {
    const choice = new PictureChoice(shot(0, 0.1), 1);
    choice.offer(shot(100, area, box), sharpness);
    return choice.last() !== null;
  };

  it('prefers a picture that is a tenth larger or clearly sharper', () => {
    expect([better(0.105, 1), better(0.111, 1)]).toEqual([false, true]);
    expect([better(0.1, 1.1), better(0.1, 1.3)]).toEqual([false, true]);
    expect([better(0.15, 0.3), better(0.07, 1.3)]).toEqual([false, false]);
  });

  it('prefers a whole subject to one that is cut by the edge', () => {
    expect([better(0.18, 1, AT_THE_EDGE), better(0.18, 1)]).toEqual([false, true]);
    const cutFirst = new PictureChoice(shot(0, 0.1, AT_THE_EDGE), 1);
    cutFirst.offer(shot(100, 0.06), 1);
    expect(cutFirst.last()).toMatchObject({ timeMs: 100 });
  });

  it('sends a bounded number of updates, ever farther apart, and the best at the end', () => {
    const choice = new PictureChoice(shot(0, 0.01), 1);
    const sent: number[] = [];
    for (let timeMs = 100; timeMs <= 60_000; timeMs += 100) {
      choice.offer(shot(timeMs, 0.01 + timeMs / 100_000), 1);
      if (choice.update(timeMs) !== null) sent.push(timeMs);
    }
    expect(sent).toEqual([1500, 4500, 10_500]);
    expect(choice.last()).toMatchObject({ timeMs: 60_000 });
  });
});

describe('sharpness', () => {
  /** Returns a random texture, blurred with this radius. */
  async function picture(blur: number, light = 1): Promise<LumaPlane> {
    const { uniform } = seededRandom(4);
    const data = Uint8Array.from({ length: 160 * 90 }, () => 40 + light * 120 * Math.round(uniform()));
    const image = sharp(data, { raw: { width: 160, height: 90, channels: 1 } });
    const blurred = await (blur === 0 ? image : image.blur(blur)).toColourspace('b-w').raw().toBuffer();
    return { width: 160, height: 90, data: new Uint8Array(blurred) };
  }

  it('falls with blur, but not with light', async () => {
    const sharpnessAt = async (blur: number, light = 1): Promise<number> =>
      sharpnessOf(await picture(blur, light), MIDDLE);
    const inFocus = await sharpnessAt(0);
    const soft = await sharpnessAt(1);
    expect(inFocus).toBeGreaterThan(1.21 * soft);
    expect(soft).toBeGreaterThan(1.21 * (await sharpnessAt(2)));
    expect((await sharpnessAt(0, 0.5)) / inFocus).toBeCloseTo(1, 1);
  });

  it('depends on the box alone, and is 0 without pixels', async () => {
    const plane = await picture(0);
    const flat = plane.data.slice();
    for (let y = 20; y < 70; y++) flat.fill(90, y * 160 + 50, y * 160 + 110);
    expect(sharpnessOf({ ...plane, data: flat }, MIDDLE)).toBe(0);
    for (const none of [
      { ...MIDDLE, width: 0 },
      { ...MIDDLE, left: 1, width: 0.5 },
    ]) {
      expect(sharpnessOf(plane, none)).toBe(0);
    }
    expect(sharpnessOf({ width: 1, height: 1, data: new Uint8Array(1) }, MIDDLE)).toBe(0);
  });
});

describe('pictures of an event', () => {
  const frames = fc.array(
    fc.record({
      stepMs: fc.oneof({ arbitrary: fc.integer({ min: 0, max: 900 }), weight: 9 }, fc.integer({ min: -9000, max: 0 })),
      area: fc.oneof(fc.constant(0), fc.double({ min: 0.002, max: 0.9, noNaN: true })),
      sinceMs: fc.integer({ min: 0, max: 1500 }),
      sharpness: fc.double({ min: 0, max: 3, noNaN: true }),
    }),
    { minLength: 5, maxLength: 120 },
  );

  it('always lie within the event, and are few', () => {
    let events = 0;
    let skipped = 0;
    let restarts = 0;
    fc.assert(
      fc.property(frames, (run) => {
        const settings = { holdMs: 1000, cooldownMs: 500, maxDurationMs: 8000 };
        const order = new FrameOrder();
        let tracker = new EventTracker<null>(settings);
        let last = { index: 0, timeMs: 0 };
        const finish = (): void => void transitions.push(...tracker.finish(last.index, last.timeMs));
        const transitions: Transition<null>[] = [];
        let timeMs = 20_000;
        for (const [index, { stepMs, area, sinceMs, sharpness }] of run.entries()) {
          timeMs += stepMs;
          const place = order.classify(timeMs);
          if (place === 'skip') skipped++;
          if (place === 'skip') continue;
          if (place === 'restart') {
            restarts++;
            finish();
            tracker = new EventTracker<null>(settings);
          }
          last = { index, timeMs };
          const seen: Observation = {
            motion: area > 0,
            reason: area > 0 ? 'motion' : 'still',
            area,
            zones: [],
            subjects: [1],
            scene: null,
            sinceFrame: index,
            sinceMs: timeMs - sinceMs,
            box: area > 0 ? MIDDLE : null,
          };
          transitions.push(...tracker.advance(seen, { frame: null, index, timeMs, sharpness }));
        }
        finish();
        let times: number[] = [];
        let updates = 0;
        for (const one of transitions) {
          if (one.type === 'start') {
            times = [];
            updates = 0;
          }
          if (one.type === 'update') updates++;
          if (one.sighting !== null) times.push(one.sighting.timeMs);
          if (one.type !== 'end') continue;
          events++;
          expect(updates).toBeLessThanOrEqual(3);
          for (const at of times) {
            expect(at).toBeGreaterThanOrEqual(one.span.onsetMs);
            expect(at).toBeLessThanOrEqual(one.endMs);
          }
        }
      }),
      { numRuns: 300 },
    );
    // The property proves nothing unless there were events, and time that ran back.
    expect(events).toBeGreaterThan(300);
    expect(skipped).toBeGreaterThan(100);
    expect(restarts).toBeGreaterThan(10);
  });
});

describe('the crop', () => {
  it('keeps shape and subject, and the box stays on the subject', () => {
    const fraction = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(
      fc.property(fraction, fraction, fraction, fraction, (x, y, w, h) => {
        const box = { left: x * (1 - w), top: y * (1 - h), width: w, height: h };
        const crop = cropAround(box);
        expect(crop.width).toBe(crop.height);
        const within = boxWithin(crop, box);
        for (const [from, size] of [
          [within.left, within.width],
          [within.top, within.height],
        ] as const) {
          expect(from).toBeGreaterThanOrEqual(-1e-9);
          expect(from + size).toBeLessThanOrEqual(1 + 1e-9);
        }
        expect(crop.left + within.left * crop.width).toBeCloseTo(box.left, 9);
        expect(crop.top + within.top * crop.height).toBeCloseTo(box.top, 9);
      }),
    );
  });
});
