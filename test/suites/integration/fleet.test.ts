import { expect, it } from 'vitest';
import type { FleetResult } from '../../campaigns/fleet/report.js';
import { hasTool } from '../../support/engines/programs.js';
import { jsonOf, runScript, type ScriptRun } from '../../support/engines/script.js';
import { describeWith } from '../../support/engines/tools.js';
import { isDemanded } from '../../support/vectors.js';
import { limitMs } from '../../support/runner/speed.js';

const RUN_MS = 180_000;
const CAMERAS = 24;
const RECORDS = 12;

function fleet(...args: readonly string[]): Promise<ScriptRun> {
  return runScript('test/campaigns/fleet/fleet.js', args, { limitMs: RUN_MS });
}

async function run(only: string, ...more: readonly string[]): Promise<FleetResult> {
  const size = ['--cameras', String(CAMERAS), '--records', String(RECORDS), '--resend', '3'];
  const ran = await fleet('--json', '--only', only, ...size, ...more);
  const result = jsonOf<FleetResult>(ran);
  expect(ran.stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(ran.status, ran.stderr).toBe(0);
  return result;
}

it('takes every body of clips into files, beside a floor that asks nothing', { timeout: limitMs(RUN_MS) }, async () => {
  const { media } = await run('media-files', '--clips', '1', '--rounds', '1');
  expect(media).toHaveLength(1);
  expect(media[0]).toMatchObject({ store: 'files', bodies: 8 * 7, lost: 0, s3_requests_per_body: null });
  expect(media[0]?.floor_per_s).toBeGreaterThan(0);
});

const whole = { records: CAMERAS * (RECORDS + 1), lost: 0, doubled: 0, misbound: 0, alarms: 0 };

function tests(): void {
  const faultTest = { timeout: limitMs(2 * RUN_MS) };
  it.each(['worker', 'postgres', 'broker'])('loses, duplicates and misbinds no record: %s', faultTest, async (only) => {
    const { faults } = await run(only);
    expect(faults.length).toBe(only === 'worker' ? 2 : 1);
    for (const fault of faults) {
      expect(fault).toMatchObject({ ...whole, store: 'postgres', workers: 2 });
      // The fault took effect: records that were due by the repair had no receipt by then. Mosquitto gives those of a killed worker
      // to the other one at once, so there nothing need be late.
      const isTakenOver = only === 'worker' && fault.broker === 'mosquitto';
      if (!isTakenOver) expect(fault.overdue).toBeGreaterThan(0);
      expect(fault.recovered_s).toBeGreaterThanOrEqual(fault.outage_s);
    }
  });

  it('refuses wrong arguments', async () => {
    expect(await fleet('--cameras', 'many')).toMatchObject({ status: 2, stdout: '' });
    expect(await fleet('--only', 'moon')).toMatchObject({ status: 2 });
    expect(await fleet('--help')).toMatchObject({ status: 0 });
  });
}

describeWith('mosquitto', 'a small fleet', () => {
  // Where every tool is demanded a missing one is a failure, so the tests are never skipped there.
  if (isDemanded || hasTool('nats')) describeWith('postgres', 'under faults', tests);
  else describeWith('nats', 'under faults', tests);
});
