import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { FleetResult } from '../../campaigns/fleet/report.js';
import { hasTool } from '../../support/engines/programs.js';
import { describeWith } from '../../support/engines/tools.js';
import { isCi, repository } from '../../support/vectors.js';

const RUN_MS = 180_000;
const CAMERAS = 24;
const RECORDS = 12;

function fleet(...args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const command = [join(repository, 'dist', 'test', 'campaigns', 'fleet', 'fleet.js'), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', timeout: RUN_MS });
  if (status !== 0) process.stderr.write(stderr);
  return { status, stdout };
}

function run(only: string): FleetResult {
  const size = ['--cameras', String(CAMERAS), '--records', String(RECORDS), '--resend', '3'];
  const { status, stdout } = fleet('--json', '--only', only, ...size);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  const result = JSON.parse(stdout) as FleetResult;
  expect(status).toBe(0);
  return result;
}

const whole = { records: CAMERAS * (RECORDS + 1), lost: 0, doubled: 0, misbound: 0, alarms: 0 };

function tests(): void {
  it.each(['worker', 'postgres', 'broker'])(
    'loses, duplicates and misbinds no record: %s',
    { timeout: RUN_MS },
    (only) => {
      const { faults } = run(only);
      expect(faults.length).toBe(only === 'worker' ? 2 : 1);
      for (const fault of faults) {
        expect(fault).toMatchObject({ ...whole, store: 'postgres', workers: 2 });
        // The fault took effect: records due by its end were receipted only after recovery started.
        expect(fault.recovered_s).toBeGreaterThan(0);
      }
    },
  );

  it('refuses wrong arguments', () => {
    expect(fleet('--cameras', 'many')).toMatchObject({ status: 2, stdout: '' });
    expect(fleet('--only', 'moon')).toMatchObject({ status: 2 });
    expect(fleet('--help')).toMatchObject({ status: 0 });
  });
}

describeWith('mosquitto', 'a small fleet', () => {
  // On CI a missing tool is a failure, so the tests are never skipped there.
  if (isCi || hasTool('nats')) describeWith('postgres', 'under faults', tests);
  else describeWith('nats', 'under faults', tests);
});
