import { expect, it } from 'vitest';
import type { DrillResult } from '../../campaigns/drill/report.js';
import { jsonOf, runScript, type ScriptRun } from '../../support/engines/script.js';
import { describeWith } from '../../support/engines/tools.js';
import { limitMs } from '../../support/runner/speed.js';

const DRILL_MS = 120_000;
/** The page says what is missing, and the camera brings its body again. */
const WITHOUT_ALARM: readonly string[] = [
  'clips: on the way to the page: a segment dropped',
  "clips: another household's body under the name of a segment",
];

async function drill(...args: readonly string[]): Promise<ScriptRun> {
  const ran = await runScript('test/campaigns/drill/drill.js', args, { limitMs: DRILL_MS });
  // Its progress, for the reader of a failure.
  if (ran.status !== 0) process.stderr.write(ran.stderr);
  return ran;
}

describeWith('mosquitto', 'the drill, small', () => {
  it('leaks where ingest trusts the cache, and nowhere else', { timeout: limitMs(2 * DRILL_MS) }, async () => {
    const cameras = 12;
    const accounts = 5;
    const ran = await drill('--json', '--cameras', String(cameras), '--accounts', String(accounts), '--processes', '2');
    // Stdout holds one object and nothing else.
    const result = jsonOf<DrillResult>(ran);
    expect(ran.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(result).toMatchObject({ cameras, accounts });
    const { control, sealcam, faults, versions, walks } = result;
    // Every fifth household has a page of version 0.1.
    expect(versions).toEqual([
      { protocol: 2, seal_suite: 2, accounts: 4, cameras: 10 },
      { protocol: 1, seal_suite: 1, accounts: 1, cameras: 2 },
    ]);

    expect(control.misbound_before).toBe(0);
    expect(control.misbound).toBeGreaterThan(0);
    expect(control.decryptable).toBeGreaterThan(0);
    expect(control.segments).toBeGreaterThan(0);
    expect(control.accounts_affected).toBeGreaterThan(1);

    expect(sealcam).toMatchObject({ misbound: 0, decryptable: 0, lost: 0, waiting: 0 });
    // The same cache gave sealcam crossed rows: each raised an alarm, and refused records came later.
    expect(sealcam.crossed).toBeGreaterThan(0);
    expect(sealcam.crossed_uploads).toBeGreaterThan(0);
    expect(sealcam.alarms).toBe(sealcam.crossed);
    expect(sealcam.delayed).toBeGreaterThan(0);
    // The owners have every event: a person walked by each camera four times, or more often where the storm had to be repeated.
    expect(walks).toBeGreaterThanOrEqual(4);
    expect(sealcam.pages).toMatchObject({ events: walks * cameras, pictures: walks * cameras, refused: 0, given: 0 });
    // Every segment that its camera filmed plays in its owner's page, and no clip misses one.
    expect(sealcam.segments).toBeGreaterThan(50);
    expect(sealcam.pages).toMatchObject({ segments: sealcam.segments, named: 0 });
    expect(sealcam.tries.tries).toBe(sealcam.tries.objects * (accounts - 1));
    // Each camera of version 2 began a period when it was claimed, and those that started again another.
    expect(sealcam.key_records).toBeGreaterThan(10);
    expect(sealcam.tries).toMatchObject({
      ownRefused: 0,
      keyObjects: sealcam.key_records,
      keyTries: sealcam.key_records * (accounts - 1),
    });

    expect(faults.length).toBeGreaterThan(10);
    for (const fault of faults) {
      expect(fault.injected).toBeGreaterThan(0);
      expect(fault).toMatchObject({ alarmed: fault.injected - fault.named, misbound: 0, decryptable: 0, lost: 0 });
      expect(fault.named).toBe(WITHOUT_ALARM.includes(fault.name) ? fault.injected : 0);
      if (fault.control !== null)
        expect(fault.control.misbound + fault.control.seen + fault.control.missed).toBeGreaterThan(0);
    }
    const { clips } = result;
    expect(clips.faults).toBeGreaterThan(15);
    expect(clips).toMatchObject({ misbound: 0, decryptable: 0, lost: 0 });
    // A page that believes the same answers plays strangers' segments, some in wrong places, and misses none that is gone.
    expect(Math.min(clips.control.misbound, clips.control.seen, clips.control.missed)).toBeGreaterThan(0);
    expect(ran.status).toBe(0);
  });

  it('refuses wrong arguments', async () => {
    expect(await drill('--cameras', 'many')).toMatchObject({ status: 2, stdout: '' });
    expect(await drill('--help')).toMatchObject({ status: 0 });
  });
});
