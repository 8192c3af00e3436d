import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { realRandom } from '../../common/adapters/real-random.js';
import { toHex } from '../../common/bytes.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import type { Signer } from '../../protocol/crypto/suite.js';
import { accountId } from '../../protocol/objects/ids.js';
import type { RecordMedia, SealcamRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { revocationKind, type Revocation } from '../../protocol/objects/revocation.js';
import { signObject } from '../../protocol/objects/signed-object.js';
import { openSqliteStore } from '../../cloud/store/sqlite/sqlite-store.js';
import { migrations } from '../../cloud/store/sqlite/schema.js';
import type { AccessEntry, AccessSummary, Alarm, CloudStore, ExportItem, NewMedia } from '../../cloud/store/store.js';
import { CameraWorld } from '../support/camera-world.js';
import { asyncCodeOf } from '../support/codes.js';
import { tempFolder } from '../support/temp.js';

const stores: readonly (readonly [string, () => CloudStore])[] = [
  ['sqlite', () => openSqliteStore(join(tempFolder(), 'cloud.db'))],
];

function media(): { readonly meta: RecordMedia; readonly stored: NewMedia } {
  const id = realRandom.bytes(16);
  const sealed = { header: realRandom.bytes(120), body: realRandom.bytes(4112) };
  return {
    stored: { id, sealed },
    meta: {
      id,
      role: 'thumbnail',
      length: sealed.body.length,
      bodyHash: nodeSuite.sha256(sealed.body),
      headerHash: nodeSuite.sha256(sealed.header),
    },
  };
}

describe.each(stores)('cloud store: %s', (_, open) => {
  async function claimed(
    store: CloudStore,
    world = new CameraWorld(),
  ): Promise<{ world: CameraWorld; records: Verified<SealcamRecord>[]; claim: ReturnType<CameraWorld['claim']> }> {
    const claim = world.claim();
    const records = world.chain(claim, 6);
    const [accept] = records;
    if (accept === undefined) throw new Error('no accept');
    expect(await store.claims.accept(claim, accept, 1000)).toMatchObject({ outcome: 'stored' });
    return { world, records, claim };
  }

  it('has no row before a camera accepted', async () => {
    const store = open();
    const world = new CameraWorld();
    expect(await store.claims.row(world.deviceId, 1)).toBeUndefined();
    expect(await store.claims.latest(world.deviceId)).toBeUndefined();
    expect(await store.claims.readableBy(world.owner.publicKey)).toEqual([]);
    await store.close();
  });

  it('keeps a row per epoch for ever; the same claim again is a duplicate, another one a contradiction', async () => {
    const store = open();
    const { world, claim, records } = await claimed(store);
    const row = await store.claims.row(world.deviceId, 1);
    expect(row).toMatchObject({
      epoch: 1,
      account: world.account,
      claimHash: claim.hash,
      state: 'open',
      closedAtSeq: null,
    });
    const [accept] = records;
    if (accept === undefined) throw new Error('no accept');
    expect(await store.claims.accept(claim, accept, 2000)).toEqual({ outcome: 'duplicate' });
    const other = world.claim();
    const otherAccept = world.record(other, 0, other.hash, { kind: 'accept' });
    expect(await store.claims.accept(other, otherAccept, 2000)).toEqual({ outcome: 'equivocation' });
    expect((await store.claims.row(world.deviceId, 1))?.claimHash).toEqual(claim.hash);
    await store.close();
  });

  it('takes only epochs above the last', async () => {
    const store = open();
    const { world, claim } = await claimed(store);
    const third = world.claim(3, claim.hash);
    expect(await store.claims.accept(third, world.record(third, 0, third.hash, { kind: 'accept' }), 1)).toMatchObject({
      outcome: 'stored',
    });
    const second = world.claim(2, claim.hash);
    expect(await store.claims.accept(second, world.record(second, 0, second.hash, { kind: 'accept' }), 1)).toEqual({
      outcome: 'equivocation',
    });
    expect((await store.claims.latest(world.deviceId))?.epoch).toBe(3);
    await store.close();
  });

  it('takes an epoch late that the next claim names as the one before it: both accepts were on their way', async () => {
    const store = open();
    const { world, claim } = await claimed(store);
    const second = world.claim(2, claim.hash);
    const third = world.claim(3, second.hash);
    const accept = (of: typeof claim): ReturnType<typeof store.claims.accept> =>
      store.claims.accept(of, world.record(of, 0, of.hash, { kind: 'accept' }), 1);
    expect(await accept(third)).toMatchObject({ outcome: 'stored' });
    const nonce = new Uint8Array(16);
    await store.claims.putPending(world.deviceId, { claim: third.bytes, mac: null, nonce, atMs: 1 });
    expect(await accept(second)).toMatchObject({ outcome: 'stored' });
    expect(await accept(second)).toEqual({ outcome: 'duplicate' });
    expect((await store.claims.row(world.deviceId, 2))?.claimHash).toEqual(second.hash);
    expect((await store.claims.latest(world.deviceId))?.epoch).toBe(3);
    // What waits for the camera is for its present epoch, and stays.
    expect(await store.claims.pending(world.deviceId)).toBeDefined();
    // The control: another claim of that epoch.
    expect(await accept(world.claim(2, claim.hash, { issuedAtMs: 9 }))).toEqual({ outcome: 'equivocation' });
    await store.close();
  });

  it('knows whose an epoch is by the keys in its claim', async () => {
    const store = open();
    const { world } = await claimed(store);
    const stranger = new CameraWorld();
    expect(await store.claims.isMember(world.deviceId, 1, world.owner.publicKey)).toBe(true);
    expect(await store.claims.isMember(world.deviceId, 1, stranger.owner.publicKey)).toBe(false);
    expect(await store.claims.isMember(world.deviceId, 2, world.owner.publicKey)).toBe(false);
    expect(await store.claims.readableBy(world.owner.publicKey)).toHaveLength(1);
    await store.close();
  });

  it('closes an epoch once, at its tombstone', async () => {
    const store = open();
    const { world } = await claimed(store);
    const other = await claimed(store);
    const stillOpen = async (): Promise<string[]> => {
      const out: string[] = [];
      for await (const { device } of store.claims.open()) out.push(toHex(device));
      return out;
    };
    expect(await stillOpen()).toEqual([world, other.world].map(({ deviceId }) => toHex(deviceId)).sort());
    await store.claims.close(world.deviceId, 1, 6);
    await store.claims.close(world.deviceId, 1, 3);
    expect(await stillOpen()).toEqual([toHex(other.world.deviceId)]);
    expect(await store.claims.row(world.deviceId, 1)).toMatchObject({ state: 'closed', closedAtSeq: 6 });
    await store.close();
  });

  it('keeps the last offer and one pending claim of a camera', async () => {
    const store = open();
    const { deviceId } = new CameraWorld();
    await store.claims.putOffer(deviceId, Uint8Array.of(1), 10);
    await store.claims.putOffer(deviceId, Uint8Array.of(2), 20);
    expect(await store.claims.offer(deviceId)).toEqual({ offer: Uint8Array.of(2), atMs: 20 });
    const pending = { claim: Uint8Array.of(3), mac: null, nonce: Uint8Array.of(4), atMs: 30 };
    await store.claims.putPending(deviceId, pending);
    expect(await store.claims.pending(deviceId)).toEqual(pending);
    await store.claims.dropPending(deviceId);
    expect(await store.claims.pending(deviceId)).toBeUndefined();
    await store.close();
  });

  it('stores a record once; the same seq with other content is a contradiction and changes nothing', async () => {
    const store = open();
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

  it('keeps media by camera, epoch and id, and adds what a duplicate brings', async () => {
    const store = open();
    const { world, records, claim } = await claimed(store);
    const { meta, stored } = media();
    const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
    const record = world.record(claim, 1, records[0]?.hash ?? null, { kind: 'motion', event, media: [meta] });
    await store.records.put(record, [], 1);
    expect(await store.records.mediaPresent(world.deviceId, 1, [meta.id])).toEqual([false]);
    expect(await store.records.put(record, [stored], 2)).toEqual({ outcome: 'duplicate' });
    expect(await store.records.media(world.deviceId, 1, meta.id)).toEqual({ sealed: stored.sealed, seq: 1 });
    expect(await store.records.media(world.deviceId, 2, meta.id)).toBeUndefined();
    expect(await store.records.media(new CameraWorld().deviceId, 1, meta.id)).toBeUndefined();
    await store.close();
  });

  it('knows what is before a record: its predecessor, what is missing, and what is signed as lost', async () => {
    const store = open();
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
      health: {
        ...{ agent: 'x', uptimeS: 1, freeBytes: 1, produced: 7, receipted: 7, queued: 0, quarantined: 0, lost: 0 },
        ...{ framesSeen: 0, framesDropped: 0, framesCorrupt: 0, camera: 'ok', privacy: false, connects: 1 },
      },
    });
    await store.records.put(healthy, [], 1);
    expect(await facts(5)).toMatchObject({ drainedUpTo: 7 });
    expect((await store.records.latestHealth(world.deviceId, 1))?.seq).toBe(7);
    await store.close();
  });

  it('knows which media a signed loss names', async () => {
    const store = open();
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

  it('pages newest first, and streams in the order of arrival', async () => {
    const store = open();
    const { world, records } = await claimed(store);
    const other = await claimed(store);
    for (const seq of [3, 1, 2]) {
      const record = records[seq];
      if (record !== undefined) await store.records.put(record, [], seq);
    }
    const page = await store.records.page(world.deviceId, 1, 3, 2);
    expect(page.map(({ seq }) => seq)).toEqual([2, 1]);
    const epochs = [{ device: world.deviceId, epoch: 1 }];
    const since = await store.records.since(0, epochs, 10);
    expect(since.map(({ seq }) => seq)).toEqual([0, 3, 1, 2]);
    expect(await store.records.since(since.at(-1)?.id ?? 0, epochs, 10)).toEqual([]);
    expect(await store.records.bounds(world.deviceId, 1)).toEqual({ lowest: 0, highest: 3, lastReceivedAtMs: 1000 });
    expect(await store.records.bounds(other.world.deviceId, 2)).toBeUndefined();
    expect(await store.records.lastId()).toBeGreaterThan(0);
    await store.close();
  });

  it('deletes after the retention time, but never the head of a history', async () => {
    const store = open();
    const { world, records } = await claimed(store);
    for (const record of records.slice(1, 4)) await store.records.put(record, [], 2000);
    expect(await store.records.expire(1500, 100)).toBe(1);
    expect(await store.records.expire(9999, 100)).toBe(2);
    expect((await store.records.page(world.deviceId, 1, 99, 99)).map(({ seq }) => seq)).toEqual([3]);
    await store.close();
  });

  it('has an access log that nobody can change, and that answers in one query who was shown what', async () => {
    const store = open();
    const { world } = await claimed(store);
    const stranger = realRandom.bytes(32);
    const entry = (reader: Uint8Array, atMs: number): Parameters<CloudStore['access']['append']>[0][number] => ({
      ...{ atMs, reader, device: world.deviceId, epoch: 1, what: 'media', fromSeq: 1, toSeq: 1 },
      mediaId: realRandom.bytes(16),
    });
    await store.access.append([entry(world.owner.publicKey, 10), entry(stranger, 20), entry(stranger, 30)]);
    const affected = await store.access.affected(world.deviceId, 15, 40);
    expect(affected).toEqual([
      {
        ...{ reader: stranger, readerAccount: accountId(nodeSuite, stranger), relation: 'neither' },
        ...{ account: world.account, device: world.deviceId, epoch: 1, reads: 2, records: 0, stream: 0, media: 2 },
        ...{ exports: 0, mediaObjects: 2, fromSeq: 1, toSeq: 1, firstMs: 20, lastMs: 30 },
      },
    ]);
    expect(await store.access.affected(null, 0, 100)).toHaveLength(2);
    expect(await store.access.ofReadable(world.owner.publicKey, 10)).toHaveLength(3);
    expect(await store.access.ofReadable(stranger, 10)).toEqual([]);
    await store.close();
  });

  it('tells owner, member and stranger apart in each epoch by its own claim, whatever was read in which way', async () => {
    const store = open();
    const [member, stranger] = [new CameraWorld().owner, new CameraWorld().owner];
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
      what: AccessEntry['what'],
      seqs: readonly [number, number],
      mediaId: Uint8Array | null = null,
    ): AccessEntry => ({
      ...{ atMs: 10, reader: who.publicKey, device: world.deviceId, epoch, what, mediaId },
      ...{ fromSeq: seqs[0], toSeq: seqs[1] },
    });
    await store.access.append([
      read(world.owner, 1, 'records', [3, 9]),
      read(world.owner, 1, 'stream', [10, 10]),
      read(world.owner, 1, 'stream', [11, 11]),
      read(world.owner, 1, 'media', [4, 4], id),
      read(world.owner, 1, 'media', [4, 4], id),
      read(world.owner, 1, 'export', [0, 0]),
      read(world.owner, 1, 'export', [5, 5], realRandom.bytes(16)),
      read(member, 1, 'records', [1, 2]),
      // A removed member, and a mixed-up answer.
      read(member, 2, 'media', [7, 7], realRandom.bytes(16)),
      read(stranger, 1, 'records', [1, 2]),
    ]);
    const lines = await store.access.affected(null, 0, 100);
    const of = (who: Signer, epoch: number): AccessSummary | undefined =>
      lines.find((line) => line.epoch === epoch && toHex(line.reader) === toHex(who.publicKey));
    expect(lines.map(({ relation }) => relation).sort()).toEqual(['member', 'neither', 'neither', 'owner']);
    expect(lines.slice(0, 2).map(({ relation }) => relation)).toEqual(['neither', 'neither']);
    expect(of(world.owner, 1)).toMatchObject({
      ...{ relation: 'owner', reads: 7, records: 1, stream: 2, media: 2, exports: 2, mediaObjects: 2 },
      ...{ fromSeq: 0, toSeq: 11, account: world.account, readerAccount: world.account },
    });
    expect(of(member, 1)?.relation).toBe('member');
    expect(of(member, 2)?.relation).toBe('neither');
    expect(of(stranger, 1)).toMatchObject({ relation: 'neither', account: world.account });

    const strange = accountId(nodeSuite, stranger.publicKey);
    expect(await store.access.affected(null, 0, 100, strange)).toHaveLength(1);
    expect(await store.access.affected(null, 0, 100, world.account)).toHaveLength(4);
    expect(await store.access.affected(null, 0, 100, realRandom.bytes(16))).toEqual([]);
    expect(await store.access.affected(realRandom.bytes(32), 0, 100)).toEqual([]);
    expect(await store.access.affected(null, 11, 100)).toEqual([]);

    // With the account go its members' names: that a member was one cannot be said any more.
    await store.accounts.delete(world.account);
    const after = await store.access.affected(null, 0, 100);
    expect(after.map(({ relation }) => relation).sort()).toEqual(['owner', 'unknown', 'unknown', 'unknown']);
    await store.close();
  });

  it('keeps a bounded quarantine', async () => {
    const store = open();
    const ids: number[] = [];
    for (let i = 0; i < 3; i++) {
      const id = await store.quarantine.put({
        atMs: i,
        device: null,
        verdict: 'malformed',
        reason: 'x'.repeat(999),
        bytes: new Uint8Array(99_999),
      });
      ids.push(id);
    }
    const [newest] = await store.quarantine.newest(1);
    expect(newest).toMatchObject({ id: ids.at(-1), atMs: 2, device: null });
    expect(newest?.bytes.length).toBeLessThan(20_000);
    expect(newest?.reason.length).toBeLessThan(300);
    expect(await store.quarantine.count()).toBe(3);
    await store.close();
  });

  it("keeps each signer's newest revocation list; what was revoked stays revoked", async () => {
    const store = open();
    const { world } = await claimed(store);
    const other = (await claimed(store)).world;
    const list = (signer: Signer, scope: 'owner' | 'maker', listVersion: number, entries: Revocation['entries']) =>
      signObject(revocationKind, nodeSuite, signer, { scope, listVersion, issuedAtMs: 5, entries });
    const stateOf = async ({ deviceId }: CameraWorld): Promise<string | undefined> =>
      (await store.claims.row(deviceId, 1))?.state;
    const own = { device: world.deviceId, epoch: 1 };

    expect(await store.revocations.put(list(world.owner, 'owner', 1, [own, { ...own, epoch: 2 }]), 1)).toBe('foreign');
    const strange = [own, { device: other.deviceId, epoch: 1 }];
    expect(await store.revocations.put(list(world.owner, 'owner', 1, strange), 1)).toBe('foreign');
    expect(await stateOf(world)).toBe('open');
    expect(await store.revocations.newest(world.owner.publicKey)).toBeUndefined();

    const first = list(world.owner, 'owner', 7, [own]);
    expect(await store.revocations.put(first, 10)).toBe('stored');
    expect(await store.revocations.put(first, 11)).toBe('duplicate');
    expect(await store.revocations.newest(world.owner.publicKey)).toEqual({ list: first.bytes, storedAtMs: 10 });
    expect([await stateOf(world), await stateOf(other)]).toEqual(['revoked', 'open']);
    for (const version of [6, 7]) {
      expect(await store.revocations.put(list(world.owner, 'owner', version, []), 12)).toBe('rollback');
    }
    expect(await store.revocations.put(list(world.owner, 'owner', 8, []), 13)).toBe('stored');
    await store.claims.close(world.deviceId, 1, 6);
    expect(await stateOf(world)).toBe('revoked');

    const maker = new CameraWorld().owner;
    expect(await store.revocations.isRevoked(other.deviceId)).toBe(false);
    expect(await store.revocations.put(list(maker, 'maker', 1, [{ device: other.deviceId }]), 20)).toBe('stored');
    expect(await store.revocations.put(list(maker, 'maker', 2, []), 21)).toBe('stored');
    expect(await store.revocations.isRevoked(other.deviceId)).toBe(true);
    expect(await store.revocations.isRevoked(world.deviceId)).toBe(false);
    expect(await stateOf(other)).toBe('open');
    await store.close();
  });

  it('keeps alarms, newest first, and no more of one place than it has room for', async () => {
    const store = open();
    const alarm: Alarm = {
      ...({ atMs: 10, place: 'read' } as const),
      ...{ verdict: 'foreign', device: realRandom.bytes(32), epoch: 2 },
      ...{ reader: realRandom.bytes(16), reason: 'x'.repeat(999), quarantineId: 7 },
    };
    await store.alarms.put(alarm);
    const bare = { ...alarm, atMs: 20, place: 'app', device: null, epoch: null, reader: null, reason: '' } as const;
    await store.alarms.put({ ...bare, quarantineId: null });
    const [newest, older] = await store.alarms.since(0, 10);
    expect(newest).toMatchObject({ ...bare, quarantineId: null });
    expect(older).toMatchObject({ device: alarm.device, epoch: 2, reader: alarm.reader, quarantineId: 7 });
    expect(older?.reason.length).toBeLessThan(300);
    expect(await store.alarms.since(11, 10)).toHaveLength(1);
    expect(await store.alarms.since(0, 1)).toHaveLength(1);
    await store.close();
  });

  it('keeps pauses of reading per account and for everybody, and a log of them', async () => {
    const store = open();
    const [a, b] = [realRandom.bytes(16), realRandom.bytes(16)];
    expect(await store.reads.pauseOf([a, b])).toBeUndefined();
    await store.reads.pause({ account: a, sentence: 'a', sinceMs: 10 });
    expect(await store.reads.pauseOf([b, a])).toEqual({ account: a, sentence: 'a', sinceMs: 10 });
    expect(await store.reads.pauseOf([b])).toBeUndefined();
    expect(await store.reads.pauseOf([])).toBeUndefined();
    await store.reads.pause({ account: null, sentence: 'all', sinceMs: 20 });
    for (const accounts of [[], [b], [a]]) {
      expect(await store.reads.pauseOf(accounts)).toEqual({ account: null, sentence: 'all', sinceMs: 20 });
    }
    await store.reads.pause({ account: null, sentence: 'still', sinceMs: 30 });
    expect((await store.reads.pauses()).map(({ sentence }) => sentence)).toEqual(['still', 'a']);
    expect(await store.reads.resume(null, 40)).toBe(true);
    expect(await store.reads.resume(null, 50)).toBe(false);
    expect(await store.reads.pauseOf([a])).toMatchObject({ sentence: 'a' });
    expect(await store.reads.changes(2)).toEqual([
      { atMs: 40, action: 'resume', account: null, sentence: null },
      { atMs: 30, action: 'pause', account: null, sentence: 'still' },
    ]);
    await store.close();
  });

  it('exports an account whole, and deletes it without letting an epoch count twice', async () => {
    const store = open();
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
    expect(await store.accounts.delete(world.account)).toBe(2);
    expect(await store.records.page(world.deviceId, 1, 99, 9)).toEqual([]);
    expect(await store.records.media(world.deviceId, 1, meta.id)).toBeUndefined();
    expect(await store.claims.row(world.deviceId, 1)).toMatchObject({ state: 'revoked', claim: null });
    expect(await store.claims.readableBy(world.owner.publicKey)).toEqual([]);
    expect(await store.records.page(stranger.world.deviceId, 1, 99, 9)).toHaveLength(1);
    await store.close();
  });

  it('keeps the last status hint', async () => {
    const store = open();
    const { deviceId } = new CameraWorld();
    await store.records.setStatus(deviceId, { online: true, agent: '1', atMs: 1 });
    await store.records.setStatus(deviceId, { online: false, agent: '1', atMs: 2 });
    expect(await store.records.status(deviceId)).toEqual({ online: false, agent: '1', atMs: 2 });
    expect(await store.records.onlineCount()).toBe(0);
    await store.records.setStatus(new CameraWorld().deviceId, { online: true, agent: '1', atMs: 3 });
    expect(await store.records.onlineCount()).toBe(1);
    await store.close();
  });

  it('answers with a typed error once it is closed', async () => {
    const store = open();
    await store.close();
    expect(await asyncCodeOf(() => store.claims.row(new Uint8Array(32), 1))).toBe('store-unavailable');
    expect(await asyncCodeOf(() => store.records.lastId())).toBe('store-unavailable');
  });
});

describe('cloud store: sqlite', () => {
  it('refuses to take a revocation back, whoever asks', async () => {
    const path = join(tempFolder(), 'cloud.db');
    await openSqliteStore(path).close();
    const db = new Sqlite(path);
    const id = Buffer.alloc(32, 7);
    db.prepare('INSERT INTO revoked_device VALUES (?, 1)').run(id);
    db.prepare("INSERT INTO claim VALUES (?, 1, ?, ?, NULL, 'revoked', NULL, 5)").run(id, Buffer.alloc(16), id);
    expect(() => db.exec('DELETE FROM revoked_device')).toThrow(/stays revoked/);
    expect(() => db.exec("UPDATE claim SET state = 'open'")).toThrow(/stays revoked/);
    db.close();
  });

  it('drops the oldest alarms of a place that overflows, and none of another', async () => {
    const path = join(tempFolder(), 'cloud.db');
    const store = openSqliteStore(path);
    const alarm = { atMs: 1, verdict: 'foreign', device: null, epoch: null, reader: null, reason: 'first' } as const;
    await store.alarms.put({ ...alarm, place: 'read', quarantineId: null });
    const db = new Sqlite(path);
    db.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500)
      INSERT INTO alarm (at_ms, place, verdict, reason) SELECT i, 'app', 'foreign', 'flood' FROM n`);
    db.close();
    await store.alarms.put({ ...alarm, place: 'app', quarantineId: null });
    const all = await store.alarms.since(0, 99_999);
    expect(all).toHaveLength(10_001);
    expect(all.at(-1)).toMatchObject({ place: 'read', reason: 'first' });
    await store.close();
  });

  it('refuses to change or delete a line of the access log, whoever asks', async () => {
    const path = join(tempFolder(), 'cloud.db');
    const store = openSqliteStore(path);
    await store.access.append([
      {
        atMs: 1,
        reader: new Uint8Array(32),
        device: new Uint8Array(32),
        epoch: 1,
        what: 'media',
        fromSeq: 1,
        toSeq: 1,
        mediaId: null,
      },
    ]);
    await store.close();
    const db = new Sqlite(path);
    expect(() => db.exec('DELETE FROM access')).toThrow(/append-only/);
    expect(() => db.exec('UPDATE access SET at_ms = 0')).toThrow(/append-only/);
    expect(db.prepare('SELECT count(*) AS n FROM access').get()).toEqual({ n: 1 });
    db.close();
  });

  it('opens a database of the first version and keeps what is in it', async () => {
    const path = join(tempFolder(), 'cloud.db');
    const old = new Sqlite(path);
    old.exec(migrations[0] ?? '');
    old.pragma('user_version = 1');
    const device = Buffer.alloc(32, 7);
    old.prepare("INSERT INTO claim VALUES (?, 1, ?, ?, NULL, 'open', NULL, 5)").run(device, Buffer.alloc(16), device);
    old.close();
    const store = openSqliteStore(path);
    expect(await store.claims.row(new Uint8Array(device), 1)).toMatchObject({ state: 'open', acceptedAtMs: 5 });
    expect(await store.reads.pauses()).toEqual([]);
    await store.close();
  });

  it('refuses a database of a newer version', async () => {
    const path = join(tempFolder(), 'cloud.db');
    await openSqliteStore(path).close();
    const db = new Sqlite(path);
    db.pragma('user_version = 99');
    db.close();
    expect(() => openSqliteStore(path)).toThrow(/newer than this program/);
  });
});
