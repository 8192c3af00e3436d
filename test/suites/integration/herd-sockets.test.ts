import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/engines/tools.js';
import { repository } from '../../support/vectors.js';

const TEST_MS = 240_000;
const CAMERAS = 200;

interface Curve {
  readonly peak_per_s: number;
  readonly t99_s: number;
  readonly attempts_per_device: number;
}

describeWith('mosquitto', 'the herd on real sockets, small', () => {
  it('reconnects as in the simulation, and loses, doubles and mis-binds nothing', { timeout: TEST_MS }, () => {
    const options = ['--sockets', String(CAMERAS), '--outage', '3', '--window', '15', '--json'];
    const command = [join(repository, 'dist', 'test', 'campaigns', 'herd', 'herd.js'), ...options];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', timeout: TEST_MS });
    if (status !== 0) process.stderr.write(stderr);
    expect(status).toBe(0);
    const { measured, simulated, records } = JSON.parse(stdout) as {
      readonly measured: Curve;
      readonly simulated: Curve;
      readonly records: Readonly<Record<string, number>>;
    };
    // Each camera makes an accept and one event.
    const made = 2 * CAMERAS;
    expect(records).toEqual({ produced: made, stored: made, waiting: 0, lost: 0, doubled: 0, misbound: 0 });
    // The bounds allow for chance and a slow machine, but not for a herd that reconnects at the same time or every second.
    expect(measured.attempts_per_device).toBeLessThan(simulated.attempts_per_device + 0.5);
    expect(measured.peak_per_s).toBeLessThan(CAMERAS / 4);
  });
});
