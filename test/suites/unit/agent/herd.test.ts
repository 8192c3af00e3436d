import { describe, expect, it } from 'vitest';
import { POLICIES, sealcam } from '../../../campaigns/herd/policies.js';
import { scenarioOf } from '../../../campaigns/herd/scenarios.js';
import { simulate, worstOf } from '../../../campaigns/herd/simulate.js';

const SEEDS = [1, 2, 3];
/** A hundredth of a million cameras and of 5,000 connects per second. */
const small = scenarioOf({ devices: 10_000, capacityPerS: 50 });

describe('the herd, ten thousand cameras', () => {
  it('returns without a peak after a short outage and after a power cut', () => {
    for (const scenario of [small, { ...small, isBoot: true, outageMs: 0 }]) {
      const { peakPerS, attemptsPerDevice, t99S } = worstOf(scenario, sealcam, SEEDS);
      // 1.3 times the mean, as for a million, plus 5 σ of a Poisson distribution with this few arrivals.
      const bound = 1.3 * ((0.99 * scenario.devices) / t99S);
      expect(peakPerS).toBeLessThanOrEqual(bound + 5 * Math.sqrt(bound));
      expect(attemptsPerDevice).toBeLessThanOrEqual(1.1);
      expect(t99S).toBeLessThanOrEqual(1.75 * ((0.99 * scenario.devices) / scenario.capacityPerS));
    }
  });

  it('returns almost as fast as the brokers allow when they can take only a fifth of their capacity', () => {
    const scenario = { ...small, capacityPerS: 10 };
    const floorS = (0.99 * scenario.devices) / scenario.capacityPerS;
    const { t99S } = worstOf(scenario, sealcam, SEEDS);
    expect(t99S).toBeLessThanOrEqual(1.2 * floorS);
    // The control: without the hint it takes longer.
    expect(worstOf({ ...scenario, hints: false }, sealcam, SEEDS).t99S).toBeGreaterThan(t99S);
  });

  it('the control: peaks with any other policy', () => {
    const [ours, ...others] = POLICIES.map((make) => simulate(small, make, 1));
    for (const other of others) expect(other.peakPerS).toBeGreaterThan(10 * (ours?.peakPerS ?? 0));
  });

  it('is reproducible by its seed', () => {
    expect(simulate(small, sealcam, 7)).toEqual(simulate(small, sealcam, 7));
  });
});
