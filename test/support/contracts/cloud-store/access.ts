import { expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import type { AccessEntry, AccessLine, AccessSummary, CloudStore, ExportItem } from '../../../../cloud/store/store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import { accountId } from '../../../../protocol/objects/ids.js';
import { DAY_MS } from '../../../../cloud/store/rows.js';
import { asyncCodeOf } from '../../codes.js';
import { CameraWorld } from '../../worlds/camera-world.js';
import { claimed, erasedEpochs, media, type OpenStore } from './world.js';

/** A line of the access log at this time, of a camera and a reader of its own. */
function lineAt(atMs: number): AccessEntry {
  const [reader, device, mediaId] = [realRandom.bytes(32), realRandom.bytes(32), realRandom.bytes(16)];
  return { atMs, reader, device, epoch: 1, what: 'media', fromSeq: 3, toSeq: 3, mediaId };
}

/** The access log, and an account as a whole. */
export function accessContract(open: OpenStore): void {
  it('logs access, and answers in one query who was shown what', async () => {
    const store = await open();
    const { world } = await claimed(store);
    const stranger = realRandom.bytes(32);
    const entry = (reader: Uint8Array, atMs: number): Parameters<CloudStore['access']['append']>[0][number] => ({
      atMs,
      reader,
      device: world.deviceId,
      epoch: 1,
      what: 'media',
      fromSeq: 1,
      toSeq: 1,
      mediaId: realRandom.bytes(16),
    });
    await store.access.append([entry(world.owner.publicKey, 10), entry(stranger, 20), entry(stranger, 30)]);
    const affected = await store.access.affected(world.deviceId, 15, 40);
    expect(affected).toEqual([
      {
        reader: stranger,
        readerAccount: accountId(nodeSuite, stranger),
        relation: 'neither',
        account: world.account,
        device: world.deviceId,
        epoch: 1,
        reads: 2,
        records: 0,
        stream: 0,
        media: 2,
        exports: 0,
        looks: 0,
        pushes: 0,
        mediaObjects: 2,
        fromSeq: 1,
        toSeq: 1,
        firstMs: 20,
        lastMs: 30,
      },
    ]);
    expect(await store.access.affected(null, 0, 100)).toHaveLength(2);
    expect(await store.access.ofReadable(world.owner.publicKey, 10)).toHaveLength(3);
    expect(await store.access.ofReadable(stranger, 10)).toEqual([]);
    expect(await store.access.ofReadable(world.owner.publicKey, 10, [world.account])).toHaveLength(3);
    expect(await store.access.ofReadable(world.owner.publicKey, 10, [new CameraWorld().account])).toEqual([]);
    await store.close();
  });

  it('tells owner, member and stranger apart by the claim of each epoch, for every kind of read', async () => {
    const store = await open();
    const member = new CameraWorld().owner;
    const stranger = new CameraWorld().owner;
    const world = new CameraWorld();
    const [owner] = world.claim().value.recipients;
    if (owner === undefined) throw new Error('no owner');
    const recipients = [owner, { x25519: nodeSuite.x25519PublicKey(realRandom.bytes(32)), ed25519: member.publicKey }];
    const first = world.claim(1, null, { recipients });
    const second = world.claim(2, first.hash);
    for (const claim of [first, second]) {
      await store.claims.accept(claim, world.record(claim, 0, claim.hash, { kind: 'accept' }), 1);
    }
    const id = realRandom.bytes(16);
    const read = (
      who: Signer,
      epoch: number,
      { seqs, ...rest }: Pick<AccessEntry, 'what'> & { seqs: readonly [number, number]; mediaId?: Uint8Array },
    ): AccessEntry => ({
      atMs: 10,
      reader: who.publicKey,
      device: world.deviceId,
      epoch,
      mediaId: null,
      fromSeq: seqs[0],
      toSeq: seqs[1],
      ...rest,
    });
    await store.access.append([
      read(world.owner, 1, { what: 'records', seqs: [3, 9] }),
      read(world.owner, 1, { what: 'stream', seqs: [10, 10] }),
      read(world.owner, 1, { what: 'stream', seqs: [11, 11] }),
      read(world.owner, 1, { what: 'media', seqs: [4, 4], mediaId: id }),
      read(world.owner, 1, { what: 'media', seqs: [4, 4], mediaId: id }),
      read(world.owner, 1, { what: 'export', seqs: [0, 0] }),
      read(world.owner, 1, { what: 'export', seqs: [5, 5], mediaId: realRandom.bytes(16) }),
      read(member, 1, { what: 'records', seqs: [1, 2] }),
      // A removed member, who was shown a picture by mistake.
      read(member, 2, { what: 'media', seqs: [7, 7], mediaId: realRandom.bytes(16) }),
      read(stranger, 1, { what: 'records', seqs: [1, 2] }),
    ]);
    const lines = await store.access.affected(null, 0, 100);
    const of = (who: Signer, epoch: number): AccessSummary | undefined =>
      lines.find((line) => line.epoch === epoch && toHex(line.reader) === toHex(who.publicKey));
    expect(lines.map(({ relation }) => relation).sort()).toEqual(['member', 'neither', 'neither', 'owner']);
    expect(lines.slice(0, 2).map(({ relation }) => relation)).toEqual(['neither', 'neither']);
    expect(of(world.owner, 1)).toMatchObject({
      relation: 'owner',
      reads: 7,
      records: 1,
      stream: 2,
      media: 2,
      exports: 2,
      mediaObjects: 2,
      fromSeq: 0,
      toSeq: 11,
      account: world.account,
      readerAccount: world.account,
    });
    expect(of(member, 1)?.relation).toBe('member');
    expect(of(member, 2)?.relation).toBe('neither');
    expect(of(stranger, 1)).toMatchObject({ relation: 'neither', account: world.account });

    const strangersAccount = accountId(nodeSuite, stranger.publicKey);
    expect(await store.access.affected(null, 0, 100, strangersAccount)).toHaveLength(1);
    expect(await store.access.affected(null, 0, 100, world.account)).toHaveLength(4);
    expect(await store.access.affected(null, 0, 100, realRandom.bytes(16))).toEqual([]);
    expect(await store.access.affected(realRandom.bytes(32), 0, 100)).toEqual([]);
    expect(await store.access.affected(null, 11, 100)).toEqual([]);

    // Members are deleted with the account, so their relation is no longer known.
    await store.accounts.delete(erasedEpochs(await store.accounts.claims(world.account)));
    const after = await store.access.affected(null, 0, 100);
    expect(after.map(({ relation }) => relation).sort()).toEqual(['owner', 'unknown', 'unknown', 'unknown']);
    await store.close();
  });

  it('logs where a look begins and where it ends, and counts it once', async () => {
    const store = await open();
    const { world } = await claimed(store);
    const session = realRandom.bytes(16);
    const entry: AccessEntry = {
      atMs: 10,
      reader: world.owner.publicKey,
      device: world.deviceId,
      epoch: 1,
      what: 'look',
      fromSeq: null,
      toSeq: null,
      mediaId: null,
    };
    const begun = { ...entry, look: { session, end: null } };
    const ended = { ...entry, atMs: 20, look: { session, end: { bytes: 5_000_000_000, seconds: 42 } } };
    await store.access.append([begun, ended]);
    expect(await store.access.ofReadable(world.owner.publicKey, 9)).toEqual([ended, begun]);
    expect(await store.access.lines(0, 99, null, 9)).toMatchObject([begun, ended]);
    const [summary] = await store.access.affected(world.deviceId, 0, 99);
    expect(summary).toMatchObject({
      reads: 2,
      looks: 1,
      media: 0,
      mediaObjects: 0,
      fromSeq: null,
      firstMs: 10,
      lastMs: 20,
    });
    await store.close();
  });

  it('reads the access log in the order of time, a bounded number of lines after a place in it', async () => {
    const store = await open();
    const { access } = store;
    expect(await access.oldestMs()).toBeNull();
    const entries = [30, 10, 20, 20, 20].map(lineAt);
    await access.append(entries);
    expect(await access.oldestMs()).toBe(10);
    const all = await access.lines(0, 99, null, 9);
    expect(all.map(({ atMs }) => atMs)).toEqual([10, 20, 20, 20, 30]);
    const [first] = all;
    expect(first).toEqual({ ...entries[1], id: first?.id });
    for (const limit of [1, 2]) {
      const found: AccessLine[] = [];
      for (let page = await access.lines(10, 30, null, limit); page.length > 0;) {
        expect(page.length).toBeLessThanOrEqual(limit);
        found.push(...page);
        page = await access.lines(10, 30, page.at(-1) ?? null, limit);
      }
      expect(found).toEqual(all.slice(0, 4));
    }
    await store.close();
  });

  it('lets exactly the lines go that are named and whose day was noted as archived, and says where the log begins', async () => {
    const store = await open();
    const { access } = store;
    const [day, other] = [40, 41];
    await access.append([day * DAY_MS, day * DAY_MS + 1, other * DAY_MS - 1, other * DAY_MS].map(lineAt));
    const ids = (await access.lines(0, 99 * DAY_MS, null, 9)).map(({ id }) => id);
    const times = async () => (await access.lines(0, 99 * DAY_MS, null, 9)).map(({ atMs }) => atMs - day * DAY_MS);
    expect(await access.archivedUntilMs()).toBeNull();
    expect(await asyncCodeOf(() => access.removeArchived(day, ids))).toBe('store-unavailable');
    await access.noteArchived(other);
    expect(await asyncCodeOf(() => access.removeArchived(day, ids))).toBe('store-unavailable');
    expect(await times()).toEqual([0, 1, DAY_MS - 1, DAY_MS]);
    await access.noteArchived(day);
    await access.noteArchived(day);
    await access.removeArchived(day, ids.slice(1));
    expect(await times()).toEqual([0, DAY_MS]);
    await access.removeArchived(other, ids);
    expect(await times()).toEqual([0]);
    expect(await access.archivedUntilMs()).toBe((other + 1) * DAY_MS);
    await store.close();
  });

  it('exports a whole account, and deletes it without freeing its epochs for reuse', async () => {
    const store = await open();
    const { world, records, claim } = await claimed(store);
    const stranger = await claimed(store);
    const { meta, stored } = media();
    const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
    const record = world.record(claim, 1, records[0]?.hash ?? null, { kind: 'motion', event, media: [meta] });
    await store.records.put(record, [stored], 1);
    await store.access.append([
      {
        atMs: 1,
        reader: world.owner.publicKey,
        device: world.deviceId,
        epoch: 1,
        what: 'records',
        fromSeq: 0,
        toSeq: 1,
        mediaId: null,
      },
    ]);
    const items: ExportItem[] = [];
    for await (const item of store.accounts.export(world.account)) items.push(item);
    expect(items.map(({ type }) => type)).toEqual(['claim', 'record', 'record', 'access']);
    expect(items[2]).toMatchObject({ media: [stored] });
    const rows = await store.accounts.claims(world.account);
    expect(rows.map(({ device, epoch }) => [device, epoch])).toEqual([[world.deviceId, 1]]);
    expect(await store.accounts.claims(realRandom.bytes(16))).toEqual([]);
    expect(await store.accounts.delete([])).toBe(0);
    expect(await store.accounts.delete(erasedEpochs(rows))).toBe(2);
    expect(await store.records.page(world.deviceId, 1, 99, 9)).toEqual([]);
    expect(await store.records.media(world.deviceId, 1, meta.id)).toBeUndefined();
    expect(await store.claims.row(world.deviceId, 1)).toMatchObject({ state: 'revoked', claim: null });
    expect(await store.claims.readableBy(world.owner.publicKey)).toEqual([]);
    expect(await store.records.page(stranger.world.deviceId, 1, 99, 9)).toHaveLength(1);
    await store.close();
  });
}
