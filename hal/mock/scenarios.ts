import { seededRandom } from '../../common/seeded-random.js';
import type { Scenario, SceneName } from '../mock-scenarios.js';
import { GOLDEN } from './golden.js';
import type { Happening, SceneScript } from './script.js';

/** How a golden scenario is played, where it is not as it says itself. */
export interface Variant {
  readonly isNight?: boolean;
  readonly quality?: number;
}

/** Builds a built-in script. The same scene, scenario, seed and variant give the same frames, byte for byte. */
export function buildScript(scene: SceneName, scenario: Scenario, seed: number, variant: Variant = {}): SceneScript {
  const { uniform } = seededRandom(seed);
  const base = { scene, seed, noise: 2 };
  const look = (): number => Math.floor(uniform() * 2 ** 31);
  const cross = (fromMs: number): Happening => ({
    kind: 'person',
    fromMs,
    toMs: fromMs + 5000 + Math.floor(uniform() * 2000),
    path: uniform() < 0.5 ? 'cross' : 'cross-back',
    look: look(),
  });
  switch (scenario) {
    default: {
      const { noise, grain, quality, happenings, durationMs, isNight } = GOLDEN[scenario];
      const night: Happening = { kind: 'night', fromMs: 0, toMs: durationMs };
      return {
        scene,
        seed,
        noise,
        grain,
        quality: variant.quality ?? quality,
        happenings: (variant.isNight ?? isNight ?? false) ? [night, ...happenings] : happenings,
        repeatMs: durationMs,
      };
    }
    case 'walk': {
      // Ten visits, then again. People vary, and each demo camera starts at its own point of the script.
      const happenings = Array.from({ length: 10 }, (_, i): Happening => {
        const fromMs = 3000 + i * 14_000 + Math.floor(uniform() * 2000);
        if (i % 3 !== 2) return cross(fromMs);
        return { kind: 'person', fromMs, toMs: fromMs + 9000, path: 'visit', look: look() };
      });
      return { ...base, happenings, repeatMs: 145_000 };
    }
    case 'quiet':
      return { ...base, happenings: [], repeatMs: null };
    case 'night':
      return {
        ...base,
        noise: 4,
        happenings: [{ kind: 'night', fromMs: 4000, toMs: 40_000 }, cross(10_000), cross(24_000)],
        repeatMs: null,
      };
    case 'rain':
      return {
        ...base,
        happenings: [{ kind: 'effect', fromMs: 0, toMs: 60_000, effect: { kind: 'rain', drops: 120 } }, cross(12_000)],
        repeatMs: null,
      };
    case 'lamp':
      return {
        ...base,
        happenings: [
          { kind: 'lamp', fromMs: 8000, toMs: 16_000 },
          { kind: 'lamp', fromMs: 24_000, toMs: 40_000 },
          cross(26_000),
        ],
        repeatMs: null,
      };
    case 'stall':
      return {
        ...base,
        happenings: [cross(3000), { kind: 'stall', fromMs: 12_000, toMs: 20_000 }, cross(22_000)],
        repeatMs: null,
      };
    case 'clock-jump':
      return {
        ...base,
        happenings: [
          cross(3000),
          { kind: 'clock-jump', atMs: 5000, byMs: 3_600_000 },
          { kind: 'clock-jump', atMs: 12_000, byMs: -7_200_000 },
          cross(14_000),
        ],
        repeatMs: null,
      };
    case 'corrupt':
      return {
        ...base,
        happenings: [cross(3000), ...[4000, 4300, 5000].map((atMs): Happening => ({ kind: 'corrupt', atMs }))],
        repeatMs: null,
      };
  }
}
