import { describe, expect, it } from 'vitest';
import { SealcamError } from '../../../../common/errors.js';
import { encodeUp } from '../../../../protocol/transport/messages.js';
import { topicOf } from '../../../../protocol/transport/topics.js';
import type { CameraMessage } from '../../../../cloud/ingest/ingest.js';
import type { SealcamRecord } from '../../../../protocol/objects/record.js';
import type { Verified } from '../../../../protocol/objects/signed-object.js';
import type { CameraWorld } from '../../../support/worlds/camera-world.js';
import { CloudWorld, scene } from '../../../support/worlds/cloud-world.js';

/** A message of its own for each record. */
function messagesOf(world: CameraWorld, records: readonly Verified<SealcamRecord>[]): readonly CameraMessage[] {
  return records.map(({ bytes }) => ({
    topic: topicOf(world.deviceId, 'up'),
    payload: encodeUp({ type: 'records', records: [{ record: bytes, media: [] }] }),
  }));
}

async function threeScenes(cloud: CloudWorld): Promise<{ world: CameraWorld; scenes: Verified<SealcamRecord>[] }> {
  const { world, claim, accept } = await cloud.claimed();
  const scenes: Verified<SealcamRecord>[] = [];
  for (const seq of [1, 2, 3]) scenes.push(scene(world, claim, seq, scenes.at(-1)?.hash ?? accept.hash));
  return { world, scenes };
}

describe('messages of a camera that wait', () => {
  it('share one receipt, which names all of their records', async () => {
    const cloud = new CloudWorld();
    const { world, scenes } = await threeScenes(cloud);
    await cloud.ingest.handleMessages(messagesOf(world, scenes));
    expect(cloud.receipts().map(({ ranges }) => ranges)).toEqual([[[1, 3, scenes[2]?.hash]]]);
    expect(cloud.stored.map(({ value }) => value.seq)).toEqual([1, 2, 3]);
  });

  it('get no receipt before every one of them is committed', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const isGated = { seq: -1 };
    const cloud = new CloudWorld((store) => ({
      ...store,
      records: {
        ...store.records,
        put: async (record, ...rest) => {
          const outcome = await store.records.put(record, ...rest);
          if (record.value.seq === isGated.seq) await gate;
          return outcome;
        },
      },
    }));
    const { world, scenes } = await threeScenes(cloud);
    isGated.seq = 2;
    const handled = cloud.ingest.handleMessages(messagesOf(world, scenes));
    for (let i = 0; i < 100; i++) await Promise.resolve();
    expect(cloud.sent).toEqual([]);
    release();
    await handled;
    expect(cloud.receipts()).toHaveLength(1);
  });

  it('fail alone: one that the store does not take, and one that cannot be read', async () => {
    const cloud = new CloudWorld((store) => ({
      ...store,
      records: {
        ...store.records,
        put: (record, ...rest) =>
          record.value.seq === 2
            ? Promise.reject(new SealcamError('store-unavailable', 'no answer'))
            : store.records.put(record, ...rest),
      },
    }));
    const { world, scenes } = await threeScenes(cloud);
    const noise = { topic: topicOf(world.deviceId, 'up'), payload: Uint8Array.of(1, 2, 3) };
    await cloud.ingest.handleMessages([noise, ...messagesOf(world, scenes), noise]);
    expect(cloud.receipts().map(({ ranges }) => ranges)).toEqual([
      [
        [1, 1, scenes[0]?.hash],
        [3, 3, scenes[2]?.hash],
      ],
    ]);
    expect(cloud.counters.snapshot()).toMatchObject({ 'ingest.store-unavailable': 1, 'refused.malformed': 2 });
  });

  it('keep their order at the end of an epoch: what follows the tombstone is refused', async () => {
    const cloud = new CloudWorld();
    const { world, claim, accept } = await cloud.claimed();
    const one = scene(world, claim, 1, accept.hash);
    const tombstone = world.record(claim, 2, one.hash, { kind: 'tombstone', tombstone: { reason: 'release' } });
    const late = scene(world, claim, 3, tombstone.hash);
    await cloud.ingest.handleMessages(messagesOf(world, [one, tombstone, late]));
    expect(cloud.stored.map(({ value }) => value.seq)).toEqual([1, 2]);
    expect(cloud.counters.snapshot()).toMatchObject({ 'refused.revoked': 1 });
    expect(cloud.receipts().map(({ ranges }) => ranges)).toEqual([[[1, 2, tombstone.hash]]]);
  });
});
