import { describe, expect, it } from 'vitest';
import { SealcamError } from '../../../../common/errors.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { stored, type Stored } from '../../../support/worlds/stored-event.js';
import { until } from '../../../support/runner/wait.js';

/** One more record of a camera, in the store and told to the open streams. */
async function arrives(api: ApiWorld, { world, claim }: Stored, seq: number): Promise<void> {
  const record = world.record(claim, seq, new Uint8Array(32), { kind: 'scene', scene: { class: 'stall' } });
  await api.store.records.put(record, [], api.clock.wallMs());
  api.feed.publish({ type: 'record', device: world.deviceId, epoch: 1, seq });
}

describe('an open stream', () => {
  it('delivers what arrives to whom it belongs, and the access log has it', async () => {
    const api = await ApiWorld.open();
    const [own, other] = [await stored(api), await stored(api)];
    const [mine, theirs] = [await api.stream(own.token), await api.stream(other.token)];
    await arrives(api, own, 5);
    await arrives(api, other, 6);
    await until('both have theirs', () => mine.events.length === 2 && theirs.events.length === 2);
    expect([mine.said, theirs.said]).toEqual([
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

  it('resumes after what was seen', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const resumed = await api.stream(own.token, 1);
    await until('the missed record came', () => resumed.events.length === 2);
    expect(resumed.said).toEqual(['ready', 'record 1']);
  });

  it('that cannot resume ends, and the process lives on', async () => {
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
    // An unhandled rejection would end the process, and with it this test's.
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
