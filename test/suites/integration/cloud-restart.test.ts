import { afterEach, expect, it } from 'vitest';
import { mosquitto } from '../../support/engines/brokers.js';
import { describeWith } from '../../support/engines/tools.js';
import { limitMs } from '../../support/runner/speed.js';
import { until } from '../../support/runner/wait.js';
import { seqsOf, WholeWay } from '../../support/worlds/whole-way.js';

/** Cameras resend what has no receipt after a minute, also what the broker acknowledged while the cloud was down. */
const RESEND_TIMEOUT_MS = 100_000;

describeWith('mosquitto', 'a restart of the cloud', () => {
  let way: WholeWay | null = null;

  afterEach(async () => {
    await way?.stopAll();
  });

  it('during an event loses and duplicates no record', { timeout: limitMs(RESEND_TIMEOUT_MS + 60_000) }, async () => {
    way = await WholeWay.prepare(mosquitto);
    await way.broker.start();
    const cloud = await way.startCloud();
    const camera = way.startAgent('a');
    const { watcher, opened } = way.watch(cloud);
    await watcher.claim(camera.code);
    await until('an event has started', () => camera.agent.counters.get('events.start') >= 1);
    await way.stop(cloud);
    const before = camera.agent.outbox.totals().produced;
    await until('events continue', () => camera.agent.outbox.totals().produced >= before + 3);
    const again = await way.startCloud();
    const produced = camera.agent.outbox.totals().produced;
    await until('new events are opened', () => opened.length >= 2, 30_000);
    const all = Array.from({ length: produced }, (_, i) => i);
    const arrived = async (): Promise<number[]> => (await seqsOf(again, camera.device)).filter((seq) => seq < produced);
    await until(
      'what was sent while the cloud was down arrived again',
      async () => (await arrived()).length >= produced,
      RESEND_TIMEOUT_MS,
    );
    expect(await arrived()).toEqual(all);
    expect(camera.agent.outbox.totals()).toMatchObject({ lost: 0, quarantined: 0 });
    expect(again.cloud.counters.get('alarms')).toBe(0);
    expect(watcher.alarms()).toBe(0);
  });
});
