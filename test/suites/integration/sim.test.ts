import { describe, expect, it } from 'vitest';
import { PLANTS } from '../../campaigns/sim/plants.js';
import { jsonOf, runScript, type ScriptRun } from '../../support/engines/script.js';
import { limitMs } from '../../support/runner/speed.js';

const RUN_MS = 600_000;
const WORLDS = 40;
/** Every plant is found within this; most of them in the first world. */
const PLANTED_WORLDS = 24;

interface SimResult {
  readonly failures: readonly { readonly seed: number }[];
  readonly versions: readonly { readonly protocol: number; readonly worlds: number }[];
  readonly produced: number;
  readonly stored: number;
  readonly queued: number;
  readonly lost: number;
  readonly epochs: number;
  readonly periods: number;
  readonly periods_cut: number;
  readonly pictures_opened: number;
  readonly segments: Readonly<Record<'produced' | 'stored' | 'queued' | 'lost' | 'opened', number>>;
  readonly uploads: number;
  readonly media_receipts: number;
}

function sim(...args: string[]): Promise<ScriptRun> {
  // Nothing here depends on time, so tests that do get the processor first.
  return runScript('test/campaigns/sim/sim.js', ['--json', ...args], { limitMs: RUN_MS, isNice: true });
}

describe('npm run sim', () => {
  it(`finds no violation in ${String(WORLDS)} worlds`, { timeout: limitMs(RUN_MS) }, async () => {
    const ran = await sim('--seeds', String(WORLDS));
    const result = jsonOf<SimResult>(ran);
    const half = WORLDS / 2;
    const versions = [
      { protocol: 2, seal_suite: 2, worlds: half },
      { protocol: 1, seal_suite: 1, worlds: half },
    ];
    expect(result).toMatchObject({ seeds: WORLDS, failures: [], versions });
    // A record may be in the cloud and wait for its receipt; it counts once.
    expect(result.produced).toBe(result.stored + result.queued + result.lost);
    expect(result.periods_cut).toBeGreaterThan(0);
    expect(result.pictures_opened).toBeGreaterThan(0);
    // Not only at a claim and at a start: half of the ownerships are of version 2.
    expect(result.periods).toBeGreaterThan(result.epochs / 2 + result.periods_cut);
    const { segments } = result;
    expect(segments.produced).toBe(segments.stored + segments.queued + segments.lost);
    expect(segments.lost).toBeGreaterThan(0);
    // The others wait for a key record, or their age took them.
    expect(segments.opened).toBeGreaterThan(segments.stored / 2);
    // Some answers were lost, and their bodies came again.
    expect(result.uploads).toBeGreaterThan(segments.stored);
    expect(result.media_receipts).toBeGreaterThan(segments.stored);
    expect(ran.status, ran.stderr).toBe(0);
  });

  it.each(Object.keys(PLANTS))(
    'stops at the first world that shows a planted bug, and names its seed: %s',
    { timeout: limitMs(RUN_MS) },
    async (plant) => {
      const ran = await sim('--seeds', String(PLANTED_WORLDS), '--plant', plant);
      const { failures } = jsonOf<SimResult>(ran);
      expect(ran.status).toBe(1);
      expect(failures).toHaveLength(1);
      const [first] = failures;
      expect(ran.stderr).toContain(`npm run sim -- --seed ${String(first?.seed)} --trace --plant ${plant}`);
    },
  );
});
