import { describe, expect, it } from 'vitest';
import { Detector } from '../../../../agent/capture/detect/detector.js';
import { groundsOf, lightOf } from '../../../../agent/capture/detect/kernel/light.js';
import { plainKernels } from '../../../../agent/capture/detect/kernel/plain.js';
import { Planes } from '../../../../agent/capture/detect/kernel/layout.js';
import { loadAgentConfig } from '../../../../agent/config/keys.js';
import { captureSettings } from '../../../../agent/main/settings.js';

const settings = captureSettings(loadAgentConfig({ file: null, environment: {} }));
const WIDTH = 160;
const HEIGHT = 90;
const FRAMES_PER_SECOND = 10;
const COMES_S = 5;

type Paint = (x: number, y: number) => number;

/** A wall of bricks. */
const wall: Paint = (x, y) => 120 + (((x >> 3) + (y >> 2)) % 2) * 40;
/** How far the middle of the picture is covered, in pixels from the centre: a sixth of it within 0.3 s. */
const reach = (t: number): number => Math.min(28, (t - COMES_S) * 94);
const isInside = (x: number, y: number, t: number): boolean => Math.hypot(x - 80, y - 45) < reach(t);

/** Plays seven seconds, and returns the classes of the scene records. */
function scenesOf(paint: (t: number) => Paint): string[] {
  const detector = new Detector(settings.detector);
  const scenes: string[] = [];
  for (let index = 0; index < 7 * FRAMES_PER_SECOND; index++) {
    const t = index / FRAMES_PER_SECOND;
    const at = paint(t);
    const data = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => at(i % WIDTH, Math.floor(i / WIDTH)));
    const { scene } = detector.observe({ width: WIDTH, height: HEIGHT, data }, t * 1000, index);
    if (scene !== null) scenes.push(scene.class);
  }
  return scenes;
}

describe('what fills a sixth of the picture at once', () => {
  it('is a face where it replaces the texture, and light where it keeps it', () => {
    const face: Paint = (x, y) => 100 + ((Math.hypot(x - 80, y - 45) >> 2) % 2) * 40;
    expect(scenesOf((t) => (x, y) => (isInside(x, y, t) ? face : wall)(x, y))).toEqual([]);
    expect(scenesOf((t) => (x, y) => wall(x, y) * (isInside(x, y, t) ? 1.5 : 1))).toEqual(['illumination']);
  });

  it('leaves the gain of the picture as it is, where a mean over the tiles would fall by the share that is covered', () => {
    const kernels = plainKernels();
    const { layout, memory } = kernels.place(WIDTH, HEIGHT, 0);
    const planes = new Planes(memory, layout);
    const isCovered: Paint = (x) => (x < 64 ? 1 : 0);
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) {
        planes.mean[y * layout.stride + x] = wall(x, y) * 128;
        planes.current[y * layout.stride + x] = (isCovered(x, y) === 1 ? 140 : 0.8 * wall(x, y)) * 8;
      }
    }
    kernels.sumTiles();
    const { gain } = lightOf(groundsOf(planes.sums, layout));
    expect(gain).toBeGreaterThan(0.78);
    expect(gain).toBeLessThan(0.84);
  });
});
