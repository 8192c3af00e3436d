import { describe, expect, it } from 'vitest';
import { HARD_NAMES, SCENARIOS, SCENES } from '../../../../hal/mock-scenarios.js';
import { SceneRenderer } from '../../../../hal/mock/renderer.js';
import { buildScript } from '../../../../hal/mock/scenarios.js';
import { clockOffsetAt, isCorruptAt, momentAt } from '../../../../hal/mock/script.js';

describe('mock scenes', () => {
  it('give the same frames for the same seed, byte for byte, and different ones for another', async () => {
    const at = async (seed: number): Promise<string> => {
      const { jpeg, luma } = await new SceneRenderer(buildScript('porch', 'walk', seed)).render(4700);
      return Buffer.from(jpeg).toString('base64') + Buffer.from(luma.data).toString('base64');
    };
    expect(await at(5)).toBe(await at(5));
    expect(await at(5)).not.toBe(await at(6));
  });

  it('render every scene and every usual scenario', async () => {
    for (const scene of SCENES) {
      for (const scenario of SCENARIOS) {
        // A scene is drawn by day and by night; what happens in it is the same in all of them.
        if (scene !== 'porch' && scenario !== 'walk' && scenario !== 'night') continue;
        if (HARD_NAMES.some((name) => name === scenario)) continue;
        const { jpeg, luma } = await new SceneRenderer(buildScript(scene, scenario, 1)).render(12_500);
        expect([jpeg[0], jpeg[1]]).toEqual([0xff, 0xd8]);
        expect(luma).toMatchObject({ width: 160, height: 90 });
      }
    }
  });

  it('have their happenings at the times of the script', () => {
    expect(momentAt(buildScript('porch', 'stall', 1), 15_000).stalled).toBe(true);
    expect(momentAt(buildScript('porch', 'lamp', 1), 9000).lamp).toBe(true);
    expect(momentAt(buildScript('porch', 'night', 1), 5000).night).toBe(true);
    expect(momentAt(buildScript('porch', 'rain', 1), 5000).effects).toMatchObject([{ effect: { drops: 120 } }]);
    const walk = buildScript('porch', 'walk', 1);
    expect(momentAt(walk, 6000).people).toHaveLength(1);
    expect(momentAt(walk, 6000 + 145_000).people).toHaveLength(1);
    const jumps = buildScript('porch', 'clock-jump', 1);
    expect([4000, 6000, 13_000].map((ms) => clockOffsetAt(jumps, ms))).toEqual([0, 3_600_000, -3_600_000]);
    const corrupt = buildScript('porch', 'corrupt', 1);
    expect([3900, 4000, 4100].map((ms) => isCorruptAt(corrupt, ms, ms + 100))).toEqual([false, true, false]);
  });
});
