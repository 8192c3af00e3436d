import { describe, expect, it } from 'vitest';
import { HARD_NAMES } from '../../../../hal/mock-scenarios.js';
import { placeOf, type Waypoint } from '../../../../hal/mock/actors.js';
import { poseAt } from '../../../../hal/mock/figure.js';
import { GOLDEN } from '../../../../hal/mock/golden.js';
import { SceneRenderer } from '../../../../hal/mock/renderer.js';
import { buildScript } from '../../../../hal/mock/scenarios.js';

describe('actors of the mock', () => {
  const way: readonly Waypoint[] = [
    [1000, 100, 200, 50],
    [2000, 150, 220, 100],
    [4000, 150, 220, 100],
  ];

  it('go evenly from place to place, stand where two are the same, and are not there before and after', () => {
    expect(placeOf(way, 999)).toBeNull();
    expect(placeOf(way, 1500)).toEqual({ x: 125, y: 210, height: 75, speed: 50 / 75 });
    expect(placeOf(way, 3000)).toEqual({ x: 150, y: 220, height: 100, speed: 0 });
    expect(placeOf(way, 4000)).toBeNull();
  });

  it('who stand take another posture within every second', () => {
    for (const look of [1, 99, 4711]) {
      for (let atMs = 0; atMs < 60_000; atMs += 500) {
        const poses = [0, 250, 500, 750, 1000].map((more) => JSON.stringify(poseAt(look, atMs + more)));
        expect(new Set(poses).size, `${String(look)} at ${String(atMs)}`).toBeGreaterThan(1);
      }
    }
  });
});

describe('hard scenes', () => {
  it('give the same frame whatever was drawn before it', async () => {
    for (const name of HARD_NAMES) {
      const renderer = new SceneRenderer(buildScript(GOLDEN[name].scene, name, 1), 4);
      const first = await renderer.luma(12_300);
      for (const timeMs of [9000, 0, 15_100]) await renderer.luma(timeMs);
      expect((await renderer.luma(12_300)).data, name).toEqual(first.data);
    }
  });

  it('have the same noise in the small plane and in the picture at night', async () => {
    const script = buildScript('gateway', 'night-gateway', 1);
    const noiseOf = async (scale: 1 | 4): Promise<number> => {
      const renderer = new SceneRenderer({ ...script, happenings: script.happenings.slice(0, 1) }, scale);
      const [a, b] = [await renderer.luma(1000), await renderer.luma(1100)];
      const mean = a.data.reduce((sum, grey, i) => sum + (grey - (b.data[i] ?? 0)) ** 2, 0) / a.data.length;
      return Math.sqrt(mean / 2);
    };
    expect(await noiseOf(4)).toBeCloseTo(1.1, 0);
    expect(await noiseOf(1)).toBeCloseTo(1, 0);
  });
});
