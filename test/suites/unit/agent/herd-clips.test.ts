import { describe, expect, it } from 'vitest';
import { sleep } from '../../../../common/clock.js';
import { BODIES_PER_CLIP } from '../../../campaigns/herd/clips/backlog.js';
import { HELD_WINDOWS, simulateClips, type ClipScenario } from '../../../campaigns/herd/clips/simulate.js';
import { Uploads, type Carrier, type Line } from '../../../campaigns/herd/clips/uploads.js';
import { scenarioOf } from '../../../campaigns/herd/scenarios.js';
import { BODY_BYTES, status, UPLOAD_WINDOW_MS, UploadWorld } from '../../../support/worlds/upload-world.js';

/** A night away, a 250th of a million cameras. */
const small: ClipScenario = {
  ...scenarioOf({ devices: 4000, capacityPerS: 20, outageMs: 8 * 3_600_000 }),
  clipsPerDay: 10,
  putsPerS: Infinity,
};
/** Long enough that chance plays no part among so few cameras. */
const BIN_S = 300;

/** Returns the most of what happened in one bin. */
function peakOf(perSecond: Float64Array, binS = BIN_S): number {
  let peak = 0;
  for (let from = 0; from < perSecond.length; from += binS) {
    peak = Math.max(
      peak,
      perSecond.subarray(from, from + binS).reduce((a, b) => a + b, 0),
    );
  }
  return peak;
}

describe('the clips of the herd, four thousand cameras', () => {
  it('arrive without a peak after a night, where clients that upload at once have one', () => {
    const { puts, bytes, bodies, t99S } = simulateClips(small, 'sealcam', 1);
    expect(bodies).toBeGreaterThan(50_000);
    for (const bins of [puts, bytes]) {
      const mean = (0.99 * bins.reduce((a, b) => a + b, 0) * BIN_S) / t99S;
      expect(peakOf(bins)).toBeLessThanOrEqual(1.3 * mean);
    }
    // The controls.
    expect(peakOf(simulateClips(small, 'at-return', 1).puts)).toBeGreaterThan(5 * peakOf(puts));
    expect(simulateClips(small, 'at-once', 1).peakBytesPerS).toBeGreaterThan(50 * (peakOf(bytes) / BIN_S));
  });

  it.each([10, 30, 120])('have a peak after %i min of at most seven times what an ordinary second has', (minutes) => {
    const binS = 60;
    const { devices, clipsPerDay } = small;
    const ordinary = (devices * clipsPerDay * BODIES_PER_CLIP * binS) / 86_400;
    const short = { ...small, outageMs: minutes * 60_000 };
    const peak = peakOf(simulateClips(short, 'sealcam', 1).puts, binS);
    expect(peak).toBeLessThan(7 * ordinary);
    // Cameras that hold their clips back have a lower one, and bring them later.
    const held = simulateClips(short, 'held', 1);
    expect(peakOf(held.puts, binS)).toBeLessThan(peak);
    expect(held.t50S).toBeGreaterThan(HELD_WINDOWS * 60);
    // The control.
    expect(peakOf(simulateClips(short, 'at-once', 1).puts, binS)).toBeGreaterThan(7 * ordinary);
  });

  it('arrive all of them where the cloud refuses most at first, by the hints of its answers', () => {
    const putsPerS = 8;
    const narrow = { ...small, outageMs: 1_800_000, putsPerS };
    const { bodies, refused, t99S } = simulateClips(narrow, 'at-return', 1);
    expect(bodies).toBeGreaterThan(4000);
    expect(refused).toBeGreaterThan(0);
    expect(t99S).toBeLessThan((2 * bodies) / putsPerS);
  });

  it('is reproducible by its seed', () => {
    const few = { ...small, devices: 500 };
    expect(simulateClips(few, 'sealcam', 7)).toEqual(simulateClips(few, 'sealcam', 7));
  });
});

describe('the simulated uploads of a camera', () => {
  // The loop's world asks and answers without a round trip.
  const LINE: Line = { bytesPerMs: 100, roundTripMs: 0 };
  const BODIES = 30;
  const STEP_MS = 10;

  /** Returns when the agent's own loop begins each body, over a line that carries one body after the other. */
  async function begunByTheLoop(refusedAt: ReadonlySet<number>): Promise<number[]> {
    const world = new UploadWorld();
    let freeMs = 0;
    world.answering = async (_, body) => {
      if (refusedAt.has(world.asked.length)) return status(503, 20_000);
      const nowMs = world.clock.monotonicMs();
      freeMs = Math.max(freeMs, nowMs) + body.length / LINE.bytesPerMs;
      await sleep(world.clock, freeMs - nowMs, new AbortController().signal);
      return world.stored(body);
    };
    for (let i = 0; i < BODIES; i++) world.add();
    world.loop.connected();
    await world.pass(300_000, STEP_MS);
    expect(world.waiting).toBe(0);
    const [first] = world.asked;
    return world.asked.map(({ atMs }) => atMs - (first?.atMs ?? 0));
  }

  function begunBySimulation(refusedAt: ReadonlySet<number>): number[] {
    const asked: number[] = [];
    const carrier: Carrier = {
      ask: (nowMs) => {
        asked.push(nowMs);
        return refusedAt.has(asked.length) ? { type: 'busy', retryAfterMs: 20_000 } : { type: 'accepted', atMs: nowMs };
      },
      carry: () => undefined,
    };
    const bodies = Array.from({ length: BODIES }, () => ({ readyMs: 0, bytes: BODY_BYTES }));
    const uploads = new Uploads(bodies, LINE, UPLOAD_WINDOW_MS, 0, true);
    for (let nowMs = 0; nowMs !== Infinity;) nowMs = uploads.turn(nowMs, () => 0.5, carrier);
    return asked;
  }

  it.each([
    ['where all are taken', new Set<number>()],
    ['where two are refused as busy', new Set([7, 12])],
  ])('begin when those of the agent do, %s', async (_, refusedAt) => {
    const expected = await begunByTheLoop(refusedAt);
    const simulated = begunBySimulation(refusedAt);
    expect(simulated).toHaveLength(expected.length);
    // The clock of the loop moves in steps, which add up from one body to the next.
    for (const [i, atMs] of expected.entries())
      expect(Math.abs(atMs - (simulated[i] ?? 0))).toBeLessThan(10 * STEP_MS + 0.02 * atMs);
  });
});
