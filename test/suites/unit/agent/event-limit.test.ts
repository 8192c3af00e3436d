import { describe, expect, it } from 'vitest';
import { EventLimit } from '../../../../agent/record/event-limit.js';
import { seededRandom } from '../../../../common/seeded-random.js';

const HOUR_MS = 3_600_000;

/** Returns the times at which an event is admitted. */
function admitted(perHour: number, times: readonly number[]): number[] {
  const limit = new EventLimit(perHour);
  return times.filter((time) => limit.admits(time));
}

describe('the limit of events per hour', () => {
  it('is never exceeded in any hour, however events are spaced', () => {
    const { uniform } = seededRandom(17);
    for (let round = 0; round < 100; round++) {
      const perHour = 1 + Math.floor(uniform() * 150);
      const times: number[] = [];
      for (let time = 0, gap = 1; time < 4 * HOUR_MS && times.length < 3000; time += Math.round(uniform() * gap)) {
        if (uniform() < 0.02) gap = uniform() < 0.2 ? HOUR_MS : 1 + uniform() * 60_000;
        times.push(time);
      }
      const inside = admitted(perHour, times);
      for (const [i, time] of inside.entries()) {
        const next = inside[i + perHour];
        if (next !== undefined) expect(next - time, `${String(perHour)} an hour`).toBeGreaterThanOrEqual(HOUR_MS);
      }
    }
  });

  it('admits half of them in a burst, and keeps admitting at the limit', () => {
    const everySecond = Array.from({ length: 7200 }, (_, i) => i * 1000);
    const inside = admitted(120, everySecond);
    expect(inside.slice(0, 60)).toEqual(everySecond.slice(0, 60));
    const gaps = inside.slice(61).map((time, i) => time - (inside[60 + i] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(61_000);
  });

  it('does not apply at 0, and gains nothing while the clock stands still', () => {
    const times = Array.from({ length: 5000 }, () => 7);
    expect(admitted(0, times)).toHaveLength(5000);
    expect(admitted(120, times)).toHaveLength(60);
    expect(admitted(1, [0, HOUR_MS - 1, HOUR_MS])).toEqual([0, HOUR_MS]);
  });
});
