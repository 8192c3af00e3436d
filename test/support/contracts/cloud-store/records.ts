import { expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import type { CloudStore } from '../../../../cloud/store/store.js';
import type { RecordMedia, SealcamRecord } from '../../../../protocol/objects/record.js';
import type { Verified } from '../../../../protocol/objects/signed-object.js';
import { CameraWorld } from '../../worlds/camera-world.js';
import { HEALTH } from '../../worlds/cloud-world.js';
import { claimed, media, type OpenStore } from './world.js';

/** Records, pictures and history. */
export function recordsContract(open: OpenStore): void {
  it('stores a record once: the same seq with other content is an equivocation and changes nothing', async () => {
    const store = await open();
    const { world, records, claim } = await claimed(store);
    const [, one] = records;
    if (one === undefined) throw new Error('no record');
    const first = await store.records.put(one, [], 2000);
    expect(first).toMatchObject({ outcome: 'stored' });
    expect(await store.records.put(one, [], 3000)).toEqual({ outcome: 'duplicate' });
    const fork = world.record(claim, 1, records[0]?.hash ?? null, { kind: 'scene', scene: { class: 'tamper' } });
    expect(await store.records.put(fork, [], 3000)).toEqual({ outcome: 'equivocation' });
    expect(await store.records.get(world.deviceId, 1, 1)).toMatchObject({ seq: 1, hash: one.hash, receivedAtMs: 2000 });
    await store.close();
  });

  it('keeps media by camera, epoch and id, and adds the media that a duplicate brings', async () => {
    const store = await open();
    const { world, records, claim } = await claimed(store);
    const { meta, stored } = media();
    const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
    const record = world.record(claim, 1, records[0]?.hash ?? null, { kind: 'motion', event, media: [meta] });
    await store.records.put(record, [], 1);
    expect(await store.records.mediaPresent(world.deviceId, 1, 1, [meta.id])).toEqual([false]);
    expect(await store.records.put(record, [stored], 2)).toEqual({ outcome: 'duplicate' });
    expect(await store.records.media(world.deviceId, 1, meta.id)).toEqual({ sealed: stored.sealed, seq: 1 });
    expect(await store.records.media(world.deviceId, 2, meta.id)).toBeUndefined();
    expect(await store.records.media(new CameraWorld().deviceId, 1, meta.id)).toBeUndefined();
    await store.close();
  });

  it('keeps two media of one record apart: each is there by itself, and the export has both', async () => {
    const store = await open();
    const { world, records, claim } = await claimed(store);
    const [thumbnail, mini] = [media(), media()];
    const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
    const list = [thumbnail.meta, mini.meta];
    const record = world.record(claim, 1, records[0]?.hash ?? null, { kind: 'motion', event, media: list });
    const ids = list.map(({ id }) => id);
    await store.records.put(record, [mini.stored], 1);
    expect(await store.records.mediaPresent(world.deviceId, 1, 1, ids)).toEqual([false, true]);
    expect(await store.records.put(record, [thumbnail.stored], 2)).toEqual({ outcome: 'duplicate' });
    expect(await store.records.mediaPresent(world.deviceId, 1, 1, ids)).toEqual([true, true]);
    for (const { stored } of [thumbnail, mini]) {
      expect(await store.records.media(world.deviceId, 1, stored.id)).toEqual({ sealed: stored.sealed, seq: 1 });
    }
    const exported: Uint8Array[][] = [];
    for await (const item of store.accounts.export(world.account)) {
      if (item.type === 'record' && item.record.seq === 1) exported.push(item.media.map(({ id }) => id));
    }
    expect(exported).toHaveLength(1);
    expect(exported[0]).toHaveLength(2);
    expect(exported[0]).toEqual(expect.arrayContaining(ids));
    await store.close();
  });

  it('a media id belongs to the record that brought its object: another record that names it is not stored', async () => {
    const store = await open();
    const { world, records, claim } = await claimed(store);
    const { meta, stored } = media();
    const other = media();
    const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
    const named = (seq: number, list: readonly RecordMedia[]): Verified<SealcamRecord> =>
      world.record(claim, seq, records[0]?.hash ?? null, { kind: 'motion', event, media: list });
    const first = named(1, [meta]);
    expect(await store.records.put(first, [stored], 1)).toMatchObject({ outcome: 'stored' });
    // Another picture under the same id, together with one of its own: with and without its bytes.
    const again = { ...meta, bodyHash: other.meta.bodyHash, headerHash: other.meta.headerHash };
    const second = named(2, [other.meta, again]);
    const bytes = { id: meta.id, sealed: media().stored.sealed };
    expect(await store.records.put(second, [other.stored, bytes], 2)).toEqual({ outcome: 'media-taken' });
    expect(await store.records.put(second, [], 2)).toEqual({ outcome: 'media-taken' });
    expect(await store.records.get(world.deviceId, 1, 2)).toBeUndefined();
    expect(await store.records.media(world.deviceId, 1, other.meta.id)).toBeUndefined();
    expect(await store.records.mediaPresent(world.deviceId, 1, 2, [meta.id])).toEqual([false]);
    // The first one keeps its picture, and is a duplicate as before.
    expect(await store.records.put(first, [stored], 3)).toEqual({ outcome: 'duplicate' });
    expect(await store.records.mediaPresent(world.deviceId, 1, 1, [meta.id])).toEqual([true]);
    expect(await store.records.media(world.deviceId, 1, meta.id)).toEqual({ sealed: stored.sealed, seq: 1 });
    // The control: under an id of its own the same record is stored.
    const own = named(2, [other.meta]);
    expect(await store.records.put(own, [other.stored], 4)).toMatchObject({ outcome: 'stored' });
    await store.close();
  });

  it('of records that name one media id and arrive together, exactly one is stored', async () => {
    const store = await open();
    const { world, records, claim } = await claimed(store);
    const { meta, stored } = media();
    const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
    const sent = [1, 2, 3].map((seq) =>
      world.record(claim, seq, records[0]?.hash ?? null, { kind: 'motion', event, media: [meta] }),
    );
    const outcomes = await Promise.all(sent.map((record) => store.records.put(record, [stored], 1)));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['media-taken', 'media-taken', 'stored']);
    // A record that came without its object, whose id another one has taken since.
    const late = media();
    const early = world.record(claim, 4, claim.hash, { kind: 'motion', event, media: [late.meta] });
    expect(await store.records.put(early, [], 1)).toMatchObject({ outcome: 'stored' });
    const taker = world.record(claim, 5, early.hash, { kind: 'motion', event, media: [late.meta] });
    expect(await store.records.put(taker, [late.stored], 1)).toMatchObject({ outcome: 'stored' });
    expect(await store.records.put(early, [late.stored], 1)).toEqual({ outcome: 'media-taken' });
    await store.close();
  });

  it('knows the history before a record: its predecessor, what is missing, and which gaps are signed', async () => {
    const store = await open();
    const { world, records, claim } = await claimed(store);
    const facts = (seq: number): ReturnType<CloudStore['records']['chainFacts']> =>
      store.records.chainFacts(world.deviceId, 1, seq);
    for (const seq of [1, 5]) {
      const record = records[seq];
      if (record !== undefined) await store.records.put(record, [], 1);
    }
    expect(await facts(1)).toMatchObject({ predecessor: records[0]?.hash, missing: 0 });
    expect(await facts(5)).toEqual({ predecessor: undefined, missing: 3, missingSigned: false, drainedUpTo: -1 });
    const gap = world.record(claim, 6, records[5]?.hash ?? null, {
      kind: 'gap',
      loss: [
        { reason: 'full', seqs: [2, 3] },
        { reason: 'age', seqs: [4, 4] },
      ],
    });
    await store.records.put(gap, [], 1);
    expect(await facts(5)).toMatchObject({ missing: 3, missingSigned: true });
    const healthy = world.record(claim, 7, gap.hash, {
      kind: 'health',
      health: HEALTH,
    });
    await store.records.put(healthy, [], 1);
    expect(await facts(5)).toMatchObject({ drainedUpTo: 7 });
    expect((await store.records.latestHealth(world.deviceId, 1))?.seq).toBe(7);
    await store.close();
  });

  it('knows which media a signed loss names', async () => {
    const store = await open();
    const { world, records, claim } = await claimed(store);
    const id = realRandom.bytes(16);
    const gap = world.record(claim, 1, records[0]?.hash ?? null, {
      kind: 'gap',
      loss: [{ reason: 'full', media: [id] }],
    });
    expect(await store.records.isLossSigned(world.deviceId, 1, id)).toBe(false);
    await store.records.put(gap, [], 1);
    expect(await store.records.isLossSigned(world.deviceId, 1, id)).toBe(true);
    expect(await store.records.isLossSigned(world.deviceId, 2, id)).toBe(false);
    await store.close();
  });

  it('pages newest first, and streams in order of arrival', async () => {
    const store = await open();
    const { world, records } = await claimed(store);
    const other = await claimed(store);
    for (const seq of [3, 1, 2]) {
      const record = records[seq];
      if (record !== undefined) await store.records.put(record, [], 2000 + seq);
    }
    const page = await store.records.page(world.deviceId, 1, 3, 2);
    expect(page.map(({ seq }) => seq)).toEqual([2, 1]);
    const epochs = [{ device: world.deviceId, epoch: 1 }];
    const since = await store.records.since(0, epochs, 10);
    expect(since.map(({ seq }) => seq)).toEqual([0, 3, 1, 2]);
    expect(await store.records.since(since.at(-1)?.id ?? 0, epochs, 10)).toEqual([]);
    expect(await store.records.bounds(world.deviceId, 1)).toEqual({ lowest: 0, highest: 3, lastReceivedAtMs: 2002 });
    expect(await store.records.bounds(other.world.deviceId, 2)).toBeUndefined();
    const arrivals = await store.records.arrivals(0, 99);
    expect(arrivals.map(({ device, seq }) => [toHex(device) === toHex(world.deviceId), seq])).toEqual([
      [true, 0],
      [false, 0],
      [true, 3],
      [true, 1],
      [true, 2],
    ]);
    expect(arrivals[0]).toMatchObject({ epoch: 1, kind: 'accept' });
    expect(await store.records.arrivals(arrivals[1]?.id ?? 0, 1)).toEqual([arrivals[2]]);
    expect(await store.records.lastId()).toBe(arrivals.at(-1)?.id);
    await store.close();
  });

  it('keeps the last status hint of each camera', async () => {
    const store = await open();
    const { deviceId } = new CameraWorld();
    await store.records.setStatus(deviceId, { online: true, agent: '1', atMs: 1 });
    await store.records.setStatus(deviceId, { online: false, agent: '1', atMs: 2 });
    expect(await store.records.status(deviceId)).toEqual({ online: false, agent: '1', atMs: 2 });
    expect(await store.records.onlineCount()).toBe(0);
    await store.records.setStatus(new CameraWorld().deviceId, { online: true, agent: '1', atMs: 3 });
    expect(await store.records.onlineCount()).toBe(1);
    await store.close();
  });
}
