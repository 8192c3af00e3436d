import { describe, expect, it } from 'vitest';
import { Detector } from '../../../../agent/capture/detect/detector.js';
import { displacedRest } from '../../../../agent/capture/detect/kernel/evidence.js';
import { BlobFinder } from '../../../../agent/capture/detect/kernel/blobs.js';
import { EIGHTHS_PER_LEVEL, Planes, TILE_PIXELS } from '../../../../agent/capture/detect/kernel/layout.js';
import { plainKernels } from '../../../../agent/capture/detect/kernel/plain.js';
import { setFloors } from '../../../../agent/capture/detect/noise.js';
import { TUNING } from '../../../../agent/capture/detect/tuning.js';
import { EventTracker } from '../../../../agent/capture/event-tracker.js';
import { loadAgentConfig } from '../../../../agent/config/keys.js';
import { captureSettings } from '../../../../agent/main/settings.js';
import { seededRandom } from '../../../../common/seeded-random.js';
import type { LumaPlane } from '../../../../hal/camera.js';

const settings = captureSettings(loadAgentConfig({ file: null, environment: {} }));
const WIDTH = 160;
const HEIGHT = 90;
const FRAMES_PER_SECOND = 5;

type Paint = (x: number, y: number) => number;

/** A wall with a pattern. */
const wall =
  (level: number): Paint =>
  (x, y) =>
    level + ((x >> 3) % 2) * 6 + ((y >> 4) % 2) * 5;

function planesOf(): Planes {
  const { layout, memory } = plainKernels().place(WIDTH, HEIGHT, 0);
  return new Planes(memory, layout);
}

/** Plays a film of `paint` at a time in seconds, and returns the events in seconds. */
function eventsOf(seconds: number, paint: (t: number) => Paint, noise = 1): (readonly [number, number])[] {
  const detector = new Detector(settings.detector);
  const tracker = new EventTracker<null>(settings.events);
  const { uniform } = seededRandom(7);
  const events: [number, number][] = [];
  const add = (transitions: ReturnType<typeof tracker.finish>): void => {
    for (const one of transitions) if (one.type === 'end') events.push([one.span.startMs / 1000, one.endMs / 1000]);
  };
  for (let index = 0; index < seconds * FRAMES_PER_SECOND; index++) {
    const t = index / FRAMES_PER_SECOND;
    const at = paint(t);
    const data = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) =>
      Math.max(0, Math.min(255, Math.round(at(i % WIDTH, Math.floor(i / WIDTH)) + (uniform() - 0.5) * 3.4 * noise))),
    );
    const plane: LumaPlane = { width: WIDTH, height: HEIGHT, data };
    const seen = detector.observe(plane, t * 1000, index);
    add(tracker.advance(seen, { frame: null, index, timeMs: t * 1000 }));
  }
  add(tracker.finish(seconds * FRAMES_PER_SECOND, seconds * 1000));
  return events;
}

/** Something that comes in from the left within four seconds from `fromS` on, and stays at `toX` until `leavesS`. */
function visitor(
  ground: Paint,
  { fromS, leavesS, wide, high, grey, sways }: Record<'fromS' | 'leavesS' | 'wide' | 'high' | 'grey' | 'sways', number>,
): (t: number) => Paint {
  return (t) => {
    const way = Math.min(1, Math.max(0, (t - fromS) / 4)) + Math.max(0, (t - leavesS) / 4);
    const left = -wide + way * 90 + (way === 1 ? sways * Math.sin(t * 1.7) : 0);
    return (x, y) => {
      const inside = Math.max(0, Math.min(1, x + 1 - left)) * Math.max(0, Math.min(1, left + wide - x));
      return ground(x, y) + (t >= fromS && y >= 70 - high && y < 70 ? inside * (grey - ground(x, y)) : 0);
    };
  };
}

describe('the detector in the dark, and what it forgets', () => {
  it('finds somebody in the dark who differs by less than the constant floor did, from first to last', () => {
    const dark: Paint = (x) => 40 + ((x >> 3) % 2) * 2;
    const film = visitor(dark, { fromS: 20, leavesS: 50, wide: 8, high: 26, grey: 49, sways: 0.5 });
    const [event, ...others] = eventsOf(56, film);
    expect(others).toEqual([]);
    expect(event?.[0]).toBeLessThan(22.5);
    expect(event?.[1]).toBeGreaterThan(50);
    // The control: without anybody there is no event.
    expect(eventsOf(56, () => dark)).toEqual([]);
  });

  it('knows the noise of a quiet dark picture after six seconds as well as after twenty', () => {
    const dark: Paint = (x) => 40 + ((x >> 3) % 2) * 2;
    const [early = 0, late = 0] = [6, 20].map((fromS) => {
      const film = visitor(dark, { fromS, leavesS: fromS + 8, wide: 8, high: 26, grey: 46, sways: 0.5 });
      return (eventsOf(fromS + 12, film)[0]?.[0] ?? Infinity) - fromS;
    });
    expect(late).toBeLessThan(2.5);
    expect(early).toBeLessThan(late + 0.5);
  });

  it('lets go what was parked within twelve seconds, and keeps who stands for thirty', () => {
    const car = { fromS: 6, leavesS: 60, wide: 40, high: 16, grey: 190 };
    const [parked, ...others] = eventsOf(45, visitor(wall(110), { ...car, sways: 0 }));
    expect(others).toEqual([]);
    expect(parked?.[1]).toBeLessThan(6 + 4 + 12);
    const person = { fromS: 6, leavesS: 40, wide: 9, high: 34, grey: 60 };
    const standing = eventsOf(46, visitor(wall(110), { ...person, sways: 0.5 }));
    expect(standing).toHaveLength(1);
    expect(standing[0]?.[1]).toBeGreaterThan(40);
  });

  it('sees no event in a balloon that swings beside its place, and one in a person as large', () => {
    const ball =
      (middle: (t: number) => number) =>
      (t: number): Paint =>
      (x, y) => {
        const beyond = Math.hypot(x - middle(t), y - 45) - 12;
        const inside = Math.max(0, Math.min(1, 0.5 - beyond));
        return 150 + (x % 40 < 3 ? -30 : 0) * (1 - inside) - 80 * inside;
      };
    expect(
      eventsOf(
        40,
        ball((t) => 80 + (t > 5 ? 5 * Math.sin(t * 2) : 0)),
      ),
    ).toEqual([]);
    expect(
      eventsOf(
        40,
        ball((t) => (t < 10 ? -30 : -30 + (t - 10) * 14)),
      ),
    ).toHaveLength(1);
  });

  it('finds a man of five grey levels and thirty pixels among insects at the lens, and lets go a box that stands there', () => {
    const dark: Paint = (x) => 40 + ((x >> 3) % 2) * 2;
    const { uniform } = seededRandom(3);
    /** Steps 9 pixels aside within four seconds, and stands from then on. */
    const faint =
      (sways: number, leavesS: number, moths = 0.3): ((t: number) => Paint) =>
      (t) => {
        const left = 100 - 9 * Math.min(1, Math.max(0, (t - 8) / 4)) + (t > 12 ? sways * Math.sin(t * 1.3) : 0);
        const [moth, mothY] = [uniform() < moths ? uniform() * WIDTH : -99, uniform() * HEIGHT];
        const isHere = t >= 8 && t < leavesS;
        return (x, y) => {
          if (Math.hypot(x - moth, y - mothY) < 3) return 220;
          const inside = Math.max(0, Math.min(1, x + 1 - left)) * Math.max(0, Math.min(1, left + 4 - x));
          return dark(x, y) + (isHere && y >= 40 && y < 48 ? 5.5 * inside : 0);
        };
      };
    const [man, ...others] = eventsOf(44, faint(0.7, 36));
    expect(others).toEqual([]);
    expect(man?.[0]).toBeGreaterThan(8);
    expect(man?.[0]).toBeLessThan(11.5);
    expect(man?.[1]).toBeGreaterThan(35);
    const [box, ...more] = eventsOf(58, faint(0, 58, 0));
    expect(more).toEqual([]);
    expect(box?.[1]).toBeLessThan(12 + 34);
    // The control: insects alone.
    expect(eventsOf(44, faint(0, 0))).toEqual([]);
  });

  it('sets floors from the median noise of a tile and its light, within bounds', () => {
    const planes = planesOf();
    const { layout, mean, deviation, floors } = planes;
    mean.fill(40 * 128);
    for (let i = 0; i < deviation.length; i++) {
      const x = i % layout.stride;
      // Column of tiles 0: quiet. 1: a grey level. 2: half of that and a branch on a third of it. 3: strong.
      const noise = [20, 128, 64, 1000][Math.min(3, x >> 4)] ?? 0;
      deviation[i] = x >> 4 === 2 && x % TILE_PIXELS < 5 ? 2000 : noise;
    }
    setFloors(planes, TUNING, 1);
    const levels = [...floors.subarray(0, 4)].map((floor) => floor / EIGHTHS_PER_LEVEL);
    expect(levels).toEqual([2.5, TUNING.deviations, 2.5, TUNING.floor]);
    mean.fill(200 * 128);
    setFloors(planes, TUNING, 1);
    expect((floors[0] ?? 0) / EIGHTHS_PER_LEVEL).toBe(6);
    setFloors(planes, TUNING, 0.5);
    expect((floors[0] ?? 0) / EIGHTHS_PER_LEVEL).toBe(3);
  });

  it('tells what swayed from what came by the background beside it', () => {
    const share = (now: Paint): number => {
      const planes = planesOf();
      const { mean, difference, clean, layout } = planes;
      const before: Paint = (x, y) => (x >= 60 && x < 76 && y >= 30 && y < 60 ? 60 : 140);
      for (let y = 0; y < HEIGHT; y++) {
        for (let x = 0; x < WIDTH; x++) {
          const i = y * layout.stride + x;
          mean[i] = before(x, y) * 128;
          difference[i] = (now(x, y) - before(x, y)) * EIGHTHS_PER_LEVEL;
          clean[i] = difference[i] === 0 ? 0 : 1;
        }
      }
      const [blob] = new BlobFinder(planes).find(6, 1);
      if (blob === undefined) throw new Error('nothing differs');
      return displacedRest(blob, planes, 1);
    };
    expect(share((x, y) => (x >= 66 && x < 82 && y >= 30 && y < 60 ? 60 : 140))).toBeLessThan(0.1);
    const came: Paint = (x, y) =>
      x >= 110 && x < 118 && y >= 30 && y < 60 ? 60 : x >= 60 && x < 76 && y >= 30 && y < 60 ? 60 : 140;
    expect(share(came)).toBeGreaterThan(0.9);
  });
});
