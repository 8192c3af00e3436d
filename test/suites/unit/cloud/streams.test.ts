import { describe, expect, it } from 'vitest';
import { SealcamError } from '../../../../common/errors.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { stored, type Stored } from '../../../support/worlds/stored-event.js';
import { until } from '../../../support/runner/wait.js';

/** Stores one more record of a camera and publishes it to the open streams. */
async function storeAndPublish(api: ApiWorld, { world, claim }: Stored, seq: number): Promise<void> {
  const record = world.record(claim, seq, new Uint8Array(32), { kind: 'scene', scene: { class: 'stall' } });
  await api.store.records.put(record, [], api.clock.wallMs());
  api.feed.publish({ type: 'record', device: world.deviceId, epoch: 1, seq });
}

describe('an open stream', () => {
  it('delivers each record to its owner only, and logs the access', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const other = await stored(api);
    const mine = await api.stream(own.token);
    const theirs = await api.stream(other.token);
    await storeAndPublish(api, own, 5);
    await storeAndPublish(api, other, 6);
    await until('both received theirs', () => mine.events.length === 2 && theirs.events.length === 2);
    expect([mine.summaries, theirs.summaries]).toEqual([
      ['ready', 'record 5'],
      ['ready', 'record 6'],
    ]);
    expect(await api.store.access.ofReadable(own.world.owner.publicKey, 10)).toMatchObject([
      { what: 'stream', fromSeq: 5, toSeq: 5 },
    ]);
    expect(await api.store.access.affected(own.world.deviceId, 0, api.clock.wallMs() + 1)).toMatchObject([
      { relation: 'owner', reads: 1, stream: 1, fromSeq: 5, toSeq: 5 },
    ]);
  });

  it('resumes after the last event that was received', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const resumed = await api.stream(own.token, 1);
    await until('the missed record came', () => resumed.events.length === 2);
    expect(resumed.summaries).toEqual(['ready', 'record 1']);
  });

  it('resumes with one line of the access log for each range', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const other = await stored(api, new CameraWorld({ owner: own.world.owner, cloud: api.receiptSigner }));
    const resumed = await api.stream(own.token, 0);
    await until('the missed records came', () => resumed.events.length === 5);
    expect(resumed.summaries).toEqual(['ready', 'record 0', 'record 1', 'record 0', 'record 1']);
    const lines = await api.store.access.ofReadable(own.world.owner.publicKey, 10);
    expect(lines).toMatchObject([
      { what: 'stream', device: other.world.deviceId, fromSeq: 0, toSeq: 1 },
      { what: 'stream', device: own.world.deviceId, fromSeq: 0, toSeq: 1 },
    ]);
  });

  it('that resumes beyond the newest id, after a restore of the store, delivers what arrives', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const resumed = await api.stream(own.token, 1_000_000);
    await until('it is ready', () => resumed.summaries.includes('ready'));
    await storeAndPublish(api, own, 5);
    await until('the new record came', () => resumed.summaries.includes('record 5'));
  });

  it('that cannot resume ends, and the process keeps running', async () => {
    let broken = false;
    const api = await ApiWorld.open((store) => ({
      ...store,
      records: {
        ...store.records,
        since: (...args) =>
          broken ? Promise.reject(new SealcamError('store-unavailable', 'no answer')) : store.records.since(...args),
      },
    }));
    const own = await stored(api);
    broken = true;
    // An unhandled rejection would end the test's own process.
    await api.stream(own.token, 0).then(
      ({ ended }) => ended,
      () => undefined,
    );
    await until('it was cut', () => api.counters.get('streams.store-unavailable') === 1);
    broken = false;
    const again = await api.stream(own.token, 0);
    await until('the missed records came', () => again.events.length === 3);
  });
});
