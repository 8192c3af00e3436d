import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { DrillResult } from '../../campaigns/drill/report.js';
import { describeWith } from '../../support/engines/tools.js';
import { repository } from '../../support/vectors.js';

const DRILL_MS = 120_000;

function drill(...args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const command = [join(repository, 'dist', 'test', 'campaigns', 'drill', 'drill.js'), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', timeout: DRILL_MS });
  // Its progress, for the reader of a failure.
  if (status !== 0) process.stderr.write(stderr);
  return { status, stdout };
}

describeWith('mosquitto', 'the drill, small', () => {
  it('leaks where ingest trusts the cache, and nowhere else', { timeout: DRILL_MS }, () => {
    const cameras = 12;
    const accounts = 5;
    const { status, stdout } = drill(
      '--json',
      '--cameras',
      String(cameras),
      '--accounts',
      String(accounts),
      '--processes',
      '2',
    );
    // Stdout holds one object and nothing else.
    const result = JSON.parse(stdout) as DrillResult;
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(result).toMatchObject({ cameras, accounts });
    const { control, sealcam, faults } = result;

    expect(control.misbound_before).toBe(0);
    expect(control.misbound).toBeGreaterThan(0);
    expect(control.decryptable).toBeGreaterThan(0);
    expect(control.accounts_affected).toBeGreaterThan(1);

    expect(sealcam).toMatchObject({ misbound: 0, decryptable: 0, lost: 0, waiting: 0 });
    // The same cache gave sealcam crossed rows: each raised an alarm, and refused records came later.
    expect(sealcam.crossed).toBeGreaterThan(0);
    expect(sealcam.alarms).toBe(sealcam.crossed);
    expect(sealcam.delayed).toBeGreaterThan(0);
    // The owners have every event: a person walked by each camera four times.
    expect(sealcam.pages).toMatchObject({ events: 4 * cameras, pictures: 4 * cameras, refused: 0, given: 0 });
    expect(sealcam.tries.tries).toBe(sealcam.tries.objects * (accounts - 1));
    expect(sealcam.tries.ownRefused).toBe(0);

    expect(faults.length).toBeGreaterThan(10);
    for (const fault of faults) {
      expect(fault.injected).toBeGreaterThan(0);
      expect(fault).toMatchObject({ alarmed: fault.injected, misbound: 0, decryptable: 0, lost: 0 });
    }
    expect(status).toBe(0);
  });

  it('refuses wrong arguments', () => {
    expect(drill('--cameras', 'many')).toMatchObject({ status: 2, stdout: '' });
    expect(drill('--help')).toMatchObject({ status: 0 });
  });
});
