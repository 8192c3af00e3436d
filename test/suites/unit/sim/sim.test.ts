import { describe, expect, it } from 'vitest';
import { PLANTS } from '../../../campaigns/sim/plants.js';
import { Scheduler } from '../../../campaigns/sim/scheduler.js';
import { runSeed } from '../../../campaigns/sim/world.js';
import { limitMs } from '../../../support/runner/speed.js';
import { slopePerHour } from '../../../campaigns/soak/probe.js';

/** Its cameras lose pictures of records that the cloud has, in an epoch that has ended. */
const SEED_WITH_A_LOST_PICTURE = 12;

/** Its cameras film; segments are stored, lost, and sent twice. */
const SEED_WITH_CLIPS = 11;

describe('the simulated world', () => {
  it(
    'repeats a run for the same seed, and differs for another',
    async () => {
      const first = await runSeed(SEED_WITH_CLIPS);
      expect(first.violation).toBeNull();
      expect(first.produced).toBe(first.stored + first.queued + first.lost);
      const { produced, stored, queued, lost } = first.segments;
      expect(produced).toBe(stored + queued + lost);
      expect(Math.min(stored, lost)).toBeGreaterThan(0);
      // A body whose media receipt was lost came again.
      expect(first.uploads).toBeGreaterThan(stored);
      expect(await runSeed(SEED_WITH_CLIPS)).toEqual(first);
      expect((await runSeed(1)).trace).not.toBe(first.trace);
    },
    limitMs(60_000),
  );

  it(
    'counts each record once, also where its picture is lost',
    async () => {
      const { violation, produced, stored, queued, lost } = await runSeed(SEED_WITH_A_LOST_PICTURE);
      expect(violation).toBeNull();
      expect({ produced }).toEqual({ produced: stored + queued + lost });
    },
    limitMs(60_000),
  );

  it(
    'finds a planted bug in the first seed',
    async () => {
      const { violation, produced, stored } = await runSeed(1, { plant: PLANTS['unsigned'] ?? { what: 'nothing' } });
      expect(violation).toContain('does not verify');
      // A world that ended early has no balance, and counts in no sum.
      expect({ produced, stored }).toEqual({ produced: 0, stored: 0 });
    },
    limitMs(60_000),
  );

  it('runs tasks in order of time, then of creation, and none that was cancelled', async () => {
    const scheduler = new Scheduler();
    const ran: string[] = [];
    for (const [name, atMs] of [
      ['c', 30],
      ['a', 10],
      ['b', 10],
    ] as const) {
      scheduler.after(atMs, () => void ran.push(`${name} ${String(scheduler.nowMs)}`));
    }
    scheduler.after(20, () => void ran.push('never'))();
    scheduler.after(100, () => void ran.push('later'));
    await scheduler.runUntil(50, () => false);
    expect(ran).toEqual(['a 10', 'b 10', 'c 30']);
    expect(scheduler.nowMs).toBe(50);
  });
});

describe('a slope', () => {
  it('is that of a least-squares line, per hour', () => {
    expect(
      slopePerHour([
        [0, 5],
        [10, 6],
        [20, 7],
      ]),
    ).toBeCloseTo(360);
    expect(
      slopePerHour([
        [0, 5],
        [10, 5],
      ]),
    ).toBeNull();
  });
});
