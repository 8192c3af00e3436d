import { describe, expect, it } from 'vitest';
import { Feed, type FeedItem } from '../../../../cloud/api/feed.js';
import { Tail } from '../../../../cloud/api/tail.js';
import { loadCloudConfig, hasOtherWriters, shardSetting } from '../../../../cloud/main/config.js';
import { shardOf } from '../../../../cloud/ingest/mqtt-feed.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { silentLog } from '../../../../common/log.js';
import { topicOf } from '../../../../protocol/transport/topics.js';
import { CloudWorld, scene } from '../../../support/worlds/cloud-world.js';
import { codeOf } from '../../../support/codes.js';
import { until } from '../../../support/runner/wait.js';

describe('ingest workers on one store', () => {
  it('store a record once that both received, and both receipt it', async () => {
    const one = new CloudWorld();
    const other = new CloudWorld(() => one.store, one);
    const { world, claim, accept } = await one.claimed();
    const record = scene(world, claim, 1, accept.hash);
    await Promise.all([one.records(world, [record]), other.records(world, [record])]);
    const sum = (name: string): number => one.counters.get(name) + other.counters.get(name);
    // With the accept.
    expect([sum('records.stored'), sum('records.duplicate'), sum('receipts')]).toEqual([2, 1, 3]);
    expect(await one.store.records.page(world.deviceId, 1, 99, 9)).toHaveLength(2);
  });

  it('let a record wait a bounded time for an accept that another worker stores', async () => {
    const one = new CloudWorld();
    const other = new CloudWorld(() => one.store, one);
    const world = one.camera();
    const claim = world.claim();
    const accept = world.record(claim, 0, claim.hash, { kind: 'accept' });
    const record = scene(world, claim, 1, accept.hash);

    const early = other.records(world, [record]);
    await until('it waits', () => other.counters.get('ingest.claim-awaited') === 1);
    await one.up(world, { type: 'accept', claim: claim.bytes, record: accept.bytes });
    await other.clock.run(300, 100);
    await early;
    expect(other.counters.get('records.stored')).toBe(1);
    expect(other.counters.get('alarms')).toBe(0);

    const stranger = one.camera();
    const never = other.records(stranger, [scene(stranger, stranger.claim(), 1, accept.hash)]);
    await other.clock.run(4000, 100);
    await never;
    expect(other.counters.get('refused.foreign')).toBe(1);
    // The next record does not wait: unclaimed cameras cannot hold up ingest.
    await other.records(stranger, [scene(stranger, stranger.claim(), 2, accept.hash)]);
    expect(other.counters.get('refused.foreign')).toBe(2);
    // The control: a single worker does not wait, and raises the alarm immediately.
    await one.records(stranger, [scene(stranger, stranger.claim(), 1, accept.hash)]);
    expect(one.counters.get('refused.foreign')).toBe(1);
  });

  it('handle each camera in exactly one part, and refuse settings that would leave a camera out', () => {
    const load = (environment: Record<string, string>): ReturnType<typeof loadCloudConfig> =>
      loadCloudConfig({ file: null, environment });
    expect(shardSetting(load({}))).toBeUndefined();
    expect(hasOtherWriters(load({}))).toBe(false);
    expect(shardSetting(load({ SEALCLOUD_MQTT_SHARD: '1/3' }))).toEqual({ index: 1, count: 3 });
    expect(hasOtherWriters(load({ SEALCLOUD_MQTT_SHARD: '1/3' }))).toBe(true);
    const parts = Array.from({ length: 600 }, () => shardOf(topicOf(realRandom.bytes(32), 'up'), 3));
    for (const part of [0, 1, 2]) expect(parts.filter((found) => found === part).length).toBeGreaterThan(100);
    for (const wrong of [
      { SEALCLOUD_MQTT_SHARD: '3/3' },
      { SEALCLOUD_MQTT_SHARD: '1' },
      { SEALCLOUD_MQTT_SHARD: '0/2', SEALCLOUD_MQTT_SHARE_GROUP: 'ingest' },
      { SEALCLOUD_MQTT_SESSION: 'kept' },
      { SEALCLOUD_STORE_KIND: 'postgres' },
      { SEALCLOUD_STORE_KIND: 'postgres', SEALCLOUD_STORE_URL: 'postgres://sealcam:secret@db.example/sealcam' },
    ]) {
      expect(codeOf(() => load(wrong))).toBe('config-invalid-value');
    }
  });
});

describe('the tail of the store', () => {
  it('publishes to open streams what any worker stored, once and in order of arrival', async () => {
    const cloud = new CloudWorld();
    const { world, claim, accept } = await cloud.claimed();
    const feed = new Feed(() => Promise.resolve([world.owner.publicKey]));
    const tail = new Tail(cloud.store, feed, cloud.clock, silentLog);
    await tail.start();
    const published: FeedItem[] = [];
    const seqs = (): (number | string)[] => published.map((item) => (item.type === 'record' ? item.seq : item.type));

    // No stream is open yet; one that opens later starts after this record.
    const one = scene(world, claim, 1, accept.hash);
    await cloud.store.records.put(one, [], 1);
    await cloud.clock.run(1000, 100);
    feed.subscribe(world.owner.publicKey, { onItem: (item) => published.push(item), onLost: () => undefined });
    for (const seq of [3, 2]) await cloud.store.records.put(scene(world, claim, seq, one.hash), [], 1);
    await cloud.clock.run(1000, 100);
    await until('both are published', () => published.length >= 2);
    await cloud.clock.run(2000, 100);
    expect(seqs()).toEqual([3, 2]);
    tail.stop();
    await cloud.store.records.put(scene(world, claim, 4, one.hash), [], 1);
    await cloud.clock.run(2000, 100);
    expect(seqs()).toEqual([3, 2]);
  });
});
