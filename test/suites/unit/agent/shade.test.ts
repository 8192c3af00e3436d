import { describe, expect, it } from 'vitest';
import { Detector } from '../../../../agent/capture/detect/detector.js';
import { EIGHTHS_PER_LEVEL, Planes, SHADE_UNIT, TILE_PIXELS } from '../../../../agent/capture/detect/kernel/layout.js';
import { groundsOf, lightOf } from '../../../../agent/capture/detect/kernel/light.js';
import { plainKernels } from '../../../../agent/capture/detect/kernel/plain.js';
import { shadesOf } from '../../../../agent/capture/detect/kernel/shade.js';
import { loadAgentConfig } from '../../../../agent/config/keys.js';
import { captureSettings } from '../../../../agent/main/settings.js';
import { seededRandom } from '../../../../common/seeded-random.js';

const WIDTH = 160;
const HEIGHT = 90;
/** A smaller difference is never marked at a sensitivity of 50; grey levels. */
const FLOOR_LEVELS = 9;

type Rectangle = readonly [left: number, top: number, right: number, bottom: number];
type Paint = (x: number, y: number, grey: number) => number;

/** Stripes and squares, from grey level 60 to 170. */
const ground: Paint = (x, y) => 90 + ((x >> 2) % 2) * 50 + ((y >> 3) % 2) * 30 - (x < 40 ? 30 : 0);
/** A cloud that takes 40 % of the light: nothing left of `from`, all of it 40 pixels further right. */
const cloud =
  (from: number): Paint =>
  (x, _, grey) =>
    grey * (1 - 0.4 * Math.max(0, Math.min(1, (x - from) / 40)));
const box =
  ([left, top, right, bottom]: Rectangle, shade: Paint): Paint =>
  (x, y, grey) =>
    x >= left && x < right && y >= top && y < bottom ? shade(x, y, grey) : grey;

/** Returns the difference from the background when the light is taken out, in grey levels by pixel, and the shades by tile. */
function remainder(
  paints: readonly Paint[],
  { isShaded = true } = {},
): {
  readonly at: (x: number, y: number) => number;
  readonly shade: (tileX: number, tileY: number) => number;
} {
  const kernels = plainKernels();
  const { layout, memory } = kernels.place(WIDTH, HEIGHT, 0);
  const planes = new Planes(memory, layout);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const i = y * layout.stride + x;
      const before = ground(x, y, 0);
      planes.mean[i] = before * 16 * EIGHTHS_PER_LEVEL;
      planes.current[i] = Math.round(paints.reduce((grey, paint) => paint(x, y, grey), before) * EIGHTHS_PER_LEVEL);
    }
  }
  kernels.sumTiles();
  const grounds = groundsOf(planes.sums, layout);
  const light = lightOf(grounds);
  kernels.subtract(Math.round(light.gain * 8192), Math.round(light.offset * EIGHTHS_PER_LEVEL));
  shadesOf(planes, grounds, light);
  if (!isShaded) planes.shades.fill(0);
  planes.floors.fill(FLOOR_LEVELS * EIGHTHS_PER_LEVEL);
  kernels.classify(0);
  return {
    at: (x, y) => (planes.difference[y * layout.stride + x] ?? 0) / EIGHTHS_PER_LEVEL,
    shade: (tileX, tileY) => (planes.shades[(tileY + 1) * (layout.tilesX + 2) + tileX + 1] ?? 0) / SHADE_UNIT,
  };
}

/** Returns the largest difference between two columns. */
function largest(at: (x: number, y: number) => number, left = 0, right = WIDTH): number {
  let found = 0;
  for (let y = 0; y < HEIGHT; y++) for (let x = left; x < right; x++) found = Math.max(found, Math.abs(at(x, y)));
  return found;
}

describe('light by tile', () => {
  it('removes the edge of a cloud anywhere, except for its kinks', () => {
    // The cloud takes up to 68 grey levels. Some remain where its slope starts or ends within a tile, most in the outermost.
    for (let from = -40; from <= 160; from += 8) {
      const { at } = remainder([cloud(from)]);
      expect(largest(at, TILE_PIXELS, WIDTH - TILE_PIXELS), String(from)).toBeLessThan(14);
      expect(largest(at), String(from)).toBeLessThan(28);
    }
  });

  it('control: one light for the whole picture leaves it there', () => {
    expect(largest(remainder([cloud(60)], { isShaded: false }).at)).toBeGreaterThan(28);
  });

  it('keeps a thing that fills tiles evenly and is darker than all around it', () => {
    const coat: Paint = () => 20;
    for (const [left, top, right, bottom] of [
      [64, 32, 80, 48],
      [64, 32, 96, 48],
      [70, 32, 90, 64],
    ] as const) {
      const { at } = remainder([box([left, top, right, bottom], coat)]);
      expect(at((left + right) >> 1, (top + bottom) >> 1)).toBeLessThan(-2 * FLOOR_LEVELS);
      expect(largest(at, 0, 40)).toBeLessThan(FLOOR_LEVELS);
    }
  });

  it('finds a person in the edge of a cloud as well as one beside it', () => {
    const person = box([70, 30, 80, 62], () => 200);
    const { at } = remainder([cloud(55), person]);
    expect(at(75, 46)).toBeGreaterThan(2 * FLOOR_LEVELS);
    expect(largest(at, 0, 52)).toBeLessThan(FLOOR_LEVELS);
    expect(largest(at, 100)).toBeLessThan(FLOOR_LEVELS);
  });

  it('extends light beyond the outermost tiles along its slope', () => {
    const { shade } = remainder([cloud(125)]);
    expect(shade(10, 2)).toBeLessThan(shade(9, 2) - 0.05);
    expect(shade(9, 2)).toBeLessThan(shade(8, 2) - 0.05);
  });
});

describe('detection', () => {
  const settings = captureSettings(loadAgentConfig({ file: null, environment: {} }));
  /** Returns the frames with motion in each of twelve seconds, with a cloud that comes in the fifth. */
  function motion(...others: readonly ((frame: number) => Paint)[]): readonly number[] {
    const detector = new Detector(settings.detector);
    const { uniform } = seededRandom(3);
    const seconds = Array.from({ length: 12 }, () => 0);
    for (let frame = 0; frame < 120; frame++) {
      const paints = [cloud(180 - Math.max(0, frame - 50) * 4), ...others.map((other) => other(frame))];
      const data = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => {
        const x = i % WIDTH;
        const y = Math.floor(i / WIDTH);
        return paints.reduce((grey, paint) => paint(x, y, grey), ground(x, y, 0)) + (uniform() - 0.5) * 6;
      });
      const { motion: isMotion } = detector.observe({ width: WIDTH, height: HEIGHT, data }, frame * 100, frame);
      if (isMotion) seconds[Math.floor(frame / 10)] = (seconds[Math.floor(frame / 10)] ?? 0) + 1;
    }
    return seconds;
  }

  it('finds no motion while a cloud crosses, and detects a person who walks through its edge', () => {
    expect(motion()).toEqual(Array.from({ length: 12 }, () => 0));
    const walker = (frame: number): Paint => {
      const left = frame < 60 ? -20 : (frame - 60) * 3;
      return box([left, 40, left + 9, 68], () => 25);
    };
    const seen = motion(walker);
    expect(seen.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 0]);
    for (const second of seen.slice(7, 11)) expect(second).toBeGreaterThan(3);
  });
});
