import { expect, it } from 'vitest';
import { openSigned } from '../../../../protocol/objects/signed-object.js';
import { floorKind } from '../../../../protocol/objects/floor.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { CloudStore } from '../../../../cloud/store/store.js';
import { CameraWorld } from '../../worlds/camera-world.js';
import { claimed, deletion, expireOnce, floorFor, media, type OpenStore } from './world.js';

type Camera = Awaited<ReturnType<typeof claimed>>;

async function seqsOf(store: CloudStore, { world }: Camera): Promise<number[]> {
  return (await store.records.page(world.deviceId, 1, 99, 99)).map(({ seq }) => seq);
}

async function floorSeqOf(store: CloudStore, { world }: Camera): Promise<number | null> {
  const bytes = await store.retention.floor(world.deviceId, 1);
  return bytes === undefined ? null : openSigned(floorKind, nodeSuite, bytes).value.belowSeq;
}

/** A camera without a clock of its own, so that the receive times decide. */
function unclocked(): CameraWorld {
  const world = new CameraWorld();
  world.time = (monotonicMs) => ({ boot: world.boot, monotonicMs, wallMs: null, quality: 'unset' });
  return world;
}

/** Stores the records 1 to 6 of a camera, received at these times. */
async function receivedAt(store: CloudStore, times: readonly number[]): Promise<Camera> {
  const camera = await claimed(store, unclocked());
  for (const [i, atMs] of times.entries()) {
    const record = camera.records[i + 1];
    if (record !== undefined) await store.records.put(record, [], atMs);
  }
  return camera;
}

/** Retention and its floors. */
export function retentionContract(open: OpenStore): void {
  it('deletes expired records with their floor, but never the accept and the newest of an epoch', async () => {
    const store = await open();
    const camera = await receivedAt(store, [2000, 2000, 2000]);
    expect(await expireOnce(store, camera, 1500)).toBe(0);
    expect(await floorSeqOf(store, camera)).toBeNull();
    expect(await expireOnce(store, camera, 9999)).toBe(2);
    expect(await seqsOf(store, camera)).toEqual([3, 0]);
    expect(await floorSeqOf(store, camera)).toBe(3);
    expect(await expireOnce(store, camera, 99_999)).toBe(0);
    await store.close();
  });

  it('counts what is overdue up to a limit, with the age of the oldest, and never the accept and the newest', async () => {
    const store = await open();
    const camera = await receivedAt(store, [1000, 1100, 1200, 1300]);
    const overdue = (beforeMs: number, limit = 100) => store.retention.overdue(beforeMs, limit);
    expect(await overdue(1000)).toEqual({ records: 0, oldestMs: null });
    expect(await overdue(1101)).toEqual({ records: 2, oldestMs: 1000 });
    expect(await overdue(9999)).toEqual({ records: 3, oldestMs: 1000 });
    expect(await overdue(9999, 2)).toEqual({ records: 2, oldestMs: 1000 });
    expect(await expireOnce(store, camera, 9999)).toBe(3);
    expect(await overdue(9999)).toEqual({ records: 0, oldestMs: null });
    await store.close();
  });

  it('deletes from the oldest seq on only, so that no hole lies above the floor', async () => {
    const store = await open();
    // Seq 2 came late: until it expires too, what follows it stays.
    const camera = await receivedAt(store, [1000, 5000, 1000, 1000, 1000, 1000]);
    expect(await expireOnce(store, camera, 2000)).toBe(1);
    expect(await seqsOf(store, camera)).toEqual([6, 5, 4, 3, 2, 0]);
    expect(await floorSeqOf(store, camera)).toBe(2);
    expect(await expireOnce(store, camera, 6000)).toBe(4);
    expect(await seqsOf(store, camera)).toEqual([6, 0]);
    await store.close();
  });

  it('keeps a record that arrives below the floor for its time, and does not wait for it', async () => {
    const store = await open();
    const camera = await receivedAt(store, [1000, 1000, 1000, 3000, 3000, 3000]);
    expect(await expireOnce(store, camera, 2000)).toBe(3);
    const [, one] = camera.records;
    if (one === undefined) throw new Error('no record');
    await store.records.put(one, [], 9000);
    expect(await expireOnce(store, camera, 4000)).toBe(2);
    expect(await seqsOf(store, camera)).toEqual([6, 1, 0]);
    expect(await floorSeqOf(store, camera)).toBe(6);
    await store.close();
  });

  it('goes on from a cursor, a bounded number of records at a time', async () => {
    const store = await open();
    const first = await receivedAt(store, [1000, 1000, 1000]);
    const second = await receivedAt(store, [1500, 1500, 1500]);
    const { retention } = store;
    const devices = ({ epochs }: Awaited<ReturnType<typeof retention.aged>>) => epochs.map(({ device }) => device);
    const one = await retention.aged(2000, null, 1);
    expect(one.epochs).toEqual([{ device: first.world.deviceId, epoch: 1 }]);
    const two = await retention.aged(2000, one.next, 2);
    expect(devices(two)).toEqual([first.world.deviceId, second.world.deviceId]);
    const three = await retention.aged(2000, two.next, 9);
    expect(devices(three)).toEqual([second.world.deviceId]);
    expect(three.next).toBeNull();
    await store.close();
  });

  it('finds what may go of one epoch, a bounded number of records, and null where nothing may', async () => {
    const store = await open();
    const { world } = await receivedAt(store, [1000, 1000, 1000]);
    const at = { device: world.deviceId, epoch: 1 };
    const found = (beforeMs: number, limit: number) => store.retention.expirable(at, beforeMs, limit);
    expect(await found(2000, 1)).toEqual({ ...at, belowSeq: 2, records: 1 });
    expect(await found(2000, 9)).toEqual({ ...at, belowSeq: 3, records: 2 });
    expect(await found(1000, 9)).toBeNull();
    expect(await store.retention.expirable({ ...at, epoch: 2 }, 2000, 9)).toBeNull();
    await store.close();
  });

  it('never lowers a floor, and deletes nothing younger below it or with nothing above it', async () => {
    const store = await open();
    const camera = await receivedAt(store, [1000, 1000, 3000, 3000]);
    expect(await store.retention.expire([floorFor(camera, 4)], 2000)).toBe(2);
    expect(await seqsOf(store, camera)).toEqual([4, 3, 0]);
    expect(await store.retention.expire([floorFor(camera, 2)], 2000)).toBe(0);
    expect(await floorSeqOf(store, camera)).toBe(4);
    expect(await store.retention.expire([floorFor(camera, 9)], 9999)).toBe(0);
    expect(await seqsOf(store, camera)).toEqual([4, 3, 0]);
    await store.close();
  });

  it('deletes the media of expired records, and the erased statements that a floor explains', async () => {
    const store = await open();
    const camera = await receivedAt(store, [1000]);
    const { world, claim, records } = camera;
    const { meta, stored } = media();
    const event = { id: meta.id, phase: 'start', revision: 0 } as const;
    const pictured = world.record(claim, 2, records[1]?.hash ?? null, { kind: 'motion', event, media: [meta] });
    await store.records.put(pictured, [stored], 1000);
    const [, , , three, four] = records;
    if (three === undefined || four === undefined) throw new Error('no records');
    await store.records.put(three, [], 1000);
    await store.records.put(four, [], 5000);
    const erased = deletion(camera, 1, 1);
    const marked = deletion(camera, 3, 3);
    await store.deletions.mark([erased, marked], 10);
    expect(await store.deletions.erase(erased, 9)).toBe(1);
    expect(await expireOnce(store, camera, 2000)).toBe(2);
    expect(await store.records.media(world.deviceId, 1, meta.id)).toBeUndefined();
    expect((await store.deletions.of(world.deviceId, 1)).map(({ fromSeq }) => fromSeq)).toEqual([3]);
    await store.close();
  });
}
