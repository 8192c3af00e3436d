import { expect, it } from 'vitest';
import { jsonOf, runScript } from '../../support/engines/script.js';
import { describeWith } from '../../support/engines/tools.js';
import { limitMs } from '../../support/runner/speed.js';

const TEST_MS = 240_000;
const CAMERAS = 200;

interface Curve {
  readonly peak_per_s: number;
  readonly t99_s: number;
  readonly attempts_per_device: number;
}

interface HerdResult {
  readonly measured: Curve;
  readonly simulated: Curve;
  readonly records: Readonly<Record<string, number>>;
}

describeWith('mosquitto', 'the herd on real sockets, small', () => {
  const timeout = limitMs(2 * TEST_MS);
  it('reconnects as in the simulation, and loses, doubles and misbinds nothing', { timeout }, async () => {
    const options = ['--sockets', String(CAMERAS), '--outage', '3', '--window', '15', '--json'];
    const ran = await runScript('test/campaigns/herd/herd.js', options, { limitMs: TEST_MS });
    expect(ran.status, ran.stderr).toBe(0);
    const { measured, simulated, records } = jsonOf<HerdResult>(ran);
    // Each camera makes an accept and one event.
    const made = 2 * CAMERAS;
    expect(records).toEqual({ produced: made, stored: made, waiting: 0, lost: 0, doubled: 0, misbound: 0 });
    // The bounds allow for chance and a slow machine, but not for a herd that reconnects at the same time or every second.
    expect(measured.attempts_per_device).toBeLessThan(simulated.attempts_per_device + 0.5);
    expect(measured.peak_per_s).toBeLessThan(CAMERAS / 4);
  });
});
