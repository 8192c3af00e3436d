import { expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import type { CloudStore, ExportItem } from '../../../../cloud/store/store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { ClaimV2 } from '../../../../protocol/objects/claim.js';
import { deletionKind, type Deletion } from '../../../../protocol/objects/deletion.js';
import { floorKind, type Floor } from '../../../../protocol/objects/floor.js';
import { kemHash } from '../../../../protocol/objects/kem-keys.js';
import type { AnyRecord, RecordV2 } from '../../../../protocol/objects/record.js';
import { signObject, type Verified } from '../../../../protocol/objects/signed-object.js';
import { CameraV2, type Filmed, type WithObject } from '../../worlds/camera-v2.js';
import { CameraWorld } from '../../worlds/camera-world.js';
import { HEALTH } from '../../worlds/cloud-world.js';
import { erasedEpochs, type OpenStore } from './world.js';

const HEALTH_V2 = { ...HEALTH, memoryBytes: 1, restarts: 0, light: false };

/** A camera under a claim of version 2, whose records follow each other. Without a clock of its own: receive times decide. */
export class Epoch {
  readonly store: CloudStore;
  readonly camera: CameraV2;
  readonly claim: Verified<ClaimV2>;
  readonly records: Verified<AnyRecord>[];

  private constructor(store: CloudStore, camera: CameraV2, claim: Verified<ClaimV2>) {
    this.store = store;
    this.camera = camera;
    this.claim = claim;
    this.records = [camera.accept(claim)];
  }

  static async open(store: CloudStore, camera = new CameraV2()): Promise<Epoch> {
    camera.world.time = (monotonicMs) => ({ boot: camera.world.boot, monotonicMs, wallMs: null, quality: 'unset' });
    const epoch = new Epoch(store, camera, camera.claim());
    const [accept] = epoch.records;
    if (accept === undefined) throw new Error('no accept');
    expect(await store.claims.accept(epoch.claim, accept, 1)).toMatchObject({ outcome: 'stored' });
    return epoch;
  }

  get device(): Uint8Array {
    return this.camera.world.deviceId;
  }

  /** Returns the place of the next record. */
  next(): readonly [Verified<ClaimV2>, number, Uint8Array | null] {
    return [this.claim, this.records.length, this.records.at(-1)?.hash ?? null];
  }

  async put(record: Verified<RecordV2>, atMs: number, objects: WithObject['object'][] = []): Promise<void> {
    this.records.push(record);
    expect(await this.store.records.put(record, objects, atMs)).toMatchObject({ outcome: 'stored' });
  }

  async key(atMs: number): Promise<{ readonly periodId: Uint8Array; readonly object: WithObject['object'] }> {
    const { record, object } = this.camera.key(...this.next());
    await this.put(record, atMs, [object]);
    return { periodId: record.value.key?.periodId ?? new Uint8Array(0), object };
  }

  /** A record in the place of a key record that is treated as any other: the control. */
  async ordinary(atMs: number): Promise<number> {
    const seq = this.records.length;
    await this.put(this.camera.scene(...this.next()), atMs);
    return seq;
  }

  async picture(periodId: Uint8Array, atMs: number): Promise<WithObject['object']> {
    const { record, object } = this.camera.picture(...this.next(), periodId);
    await this.put(record, atMs, [object]);
    return object;
  }

  /** A clip record that names segments; see `CameraV2.film`. */
  async film(periodId: Uint8Array, atMs: number, options: Parameters<CameraV2['film']>[4] = {}): Promise<Filmed> {
    const filmed = this.camera.film(...this.next(), periodId, options);
    await this.put(filmed.record, atMs);
    return filmed;
  }

  /** A health record; what was queued has arrived. */
  async drained(atMs: number): Promise<void> {
    await this.put(this.camera.world.recordV2(...this.next(), { kind: 'health', health: HEALTH_V2 }), atMs);
  }

  async hasKey(periodId: Uint8Array): Promise<boolean> {
    const found = await this.store.records.keyRecord(this.device, 1, periodId);
    return found !== undefined && found.sealed !== null;
  }

  async hasRecord(seq: number): Promise<boolean> {
    return (await this.store.records.get(this.device, 1, seq)) !== undefined;
  }

  private statement(): Pick<Deletion & Floor, 'device' | 'epoch' | 'claimHash'> {
    return { device: this.device, epoch: 1, claimHash: this.claim.hash };
  }

  /** Lets retention delete what was received before this time. */
  async expire(beforeMs: number): Promise<number> {
    const found = await this.store.retention.expirable({ device: this.device, epoch: 1 }, beforeMs, 100);
    const floors =
      found === null
        ? []
        : [
            signObject(floorKind, nodeSuite, this.camera.world.cloud, {
              ...this.statement(),
              belowSeq: found.belowSeq,
              sinceMs: 10,
              periodMs: 10,
            }),
          ];
    return this.store.retention.expire(floors, beforeMs);
  }

  deletion(fromSeq: number, toSeq: number): Verified<Deletion> {
    const lastHash = this.records[toSeq]?.hash ?? this.claim.hash;
    const range = { ...this.statement(), fromSeq, toSeq, lastHash, issuedAtMs: 0 };
    return signObject(deletionKind, nodeSuite, this.camera.world.owner, range);
  }

  async exported(): Promise<number[]> {
    const items: ExportItem[] = [];
    for await (const item of this.store.accounts.export(this.camera.world.account)) items.push(item);
    return items.flatMap((item) => (item.type === 'record' ? [item.record.seq] : []));
  }
}

/** Claims of version 2 with their KEM keys, and key records, which outlive what needs them. */
export function periodsContract(open: OpenStore): void {
  it('keeps the KEM keys of a pending claim, and stores those by their hash that the accepted claim names', async () => {
    const store = await open();
    const camera = new CameraV2();
    const claim = camera.claim();
    const hashes = camera.kemKeys.map((key) => kemHash(nodeSuite, key));
    const stranger = realRandom.bytes(1216);
    const pending = {
      claim: claim.bytes,
      mac: null,
      kemKeys: [...camera.kemKeys],
      nonce: realRandom.bytes(16),
      atMs: 1,
    };
    await store.claims.putPending(camera.world.deviceId, pending);
    expect(await store.claims.pending(camera.world.deviceId)).toEqual(pending);
    await store.claims.putPending(camera.world.deviceId, { ...pending, kemKeys: [...camera.kemKeys, stranger] });
    expect(await store.claims.kemKeys(hashes)).toEqual([null, null, null]);
    await store.claims.accept(claim, camera.accept(claim), 2);
    expect(await store.claims.kemKeys(hashes)).toEqual(camera.kemKeys);
    expect(await store.claims.kemKeys([kemHash(nodeSuite, stranger)])).toEqual([null]);
    expect(await store.claims.pending(camera.world.deviceId)).toBeUndefined();
    expect(await store.claims.row(camera.world.deviceId, 1)).toMatchObject({ version: 2 });
    const old = new CameraWorld().claim();
    const world = new CameraWorld();
    const first = world.claim();
    await store.claims.accept(first, world.record(first, 0, first.hash, { kind: 'accept' }), 1);
    expect(await store.claims.row(world.deviceId, 1)).toMatchObject({ version: 1 });
    expect(await store.claims.row(old.value.device, 1)).toBeUndefined();
    await store.close();
  });

  it('takes KEM keys again for a claim that it has, and keeps them as long as a claim names them', async () => {
    const store = await open();
    const camera = new CameraV2();
    const claim = camera.claim();
    const [owner] = camera.kemKeys.map((key) => kemHash(nodeSuite, key));
    if (owner === undefined) throw new Error('no key');
    await store.claims.accept(claim, camera.accept(claim), 1);
    expect(await store.claims.kemKeys([owner])).toEqual([null]);
    expect(await store.claims.accept(claim, camera.accept(claim), 1, camera.kemKeys)).toEqual({ outcome: 'duplicate' });
    expect(await store.claims.kemKeys([owner])).toEqual([camera.kemKeys[0]]);
    const next = camera.claim(2, claim.hash);
    await store.claims.accept(next, camera.accept(next), 2);
    const rows = await store.accounts.claims(camera.world.account);
    await store.accounts.delete(erasedEpochs(rows.filter(({ epoch }) => epoch === 1)));
    expect(await store.claims.kemKeys([owner])).toEqual([camera.kemKeys[0]]);
    await store.accounts.delete(erasedEpochs(rows));
    expect(await store.claims.kemKeys([owner])).toEqual([null]);
    // Of an erased account nothing comes back.
    await store.claims.accept(next, camera.accept(next), 3, camera.kemKeys);
    expect(await store.claims.kemKeys([owner])).toEqual([null]);
    await store.close();
  });

  it('keeps one KEM key that waits for each browser, for a day', async () => {
    const store = await open();
    const { claims } = store;
    const [signer, hash, other] = [1, 2, 3].map((fill) => new Uint8Array(32).fill(fill));
    if (signer === undefined || hash === undefined || other === undefined) throw new Error('no bytes');
    const kemKey = realRandom.bytes(1216);
    expect(await claims.offerKemKey({ signer, hash: other, kemKey, atMs: 1000 })).toBe(true);
    expect(await claims.offerKemKey({ signer, hash, kemKey, atMs: 1000 })).toBe(true);
    expect(await claims.offeredKemKey(other, 0)).toBeUndefined();
    expect(await claims.offeredKemKey(hash, 1000)).toEqual(kemKey);
    expect(await claims.offeredKemKey(hash, 1001)).toBeUndefined();
    expect(await claims.offerKemKey({ signer: other, hash: other, kemKey, atMs: 1001 + 86_400_000 })).toBe(true);
    expect(await claims.offeredKemKey(hash, 0)).toBeUndefined();
    await store.close();
  });

  it('stores one key record of a period: a second with another hash is refused whole, also when they arrive together', async () => {
    const store = await open();
    const epoch = await Epoch.open(store);
    const { camera, claim, device } = epoch;
    const first = camera.key(...epoch.next());
    const periodId = first.record.value.key?.periodId ?? new Uint8Array(0);
    const second = camera.key(claim, 2, first.record.hash, periodId);
    const third = camera.key(claim, 3, second.record.hash, periodId);
    const outcomes = await Promise.all(
      [first, second, third].map(({ record, object }) => store.records.put(record, [object], 1)),
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['stored', 'period-taken', 'period-taken']);
    expect(await store.records.put(first.record, [first.object], 1)).toEqual({ outcome: 'duplicate' });
    expect(await store.records.put(second.record, [second.object], 1)).toEqual({ outcome: 'period-taken' });
    expect(await store.records.get(device, 1, 2)).toBeUndefined();
    expect(await store.records.media(device, 1, second.object.id)).toBeUndefined();
    expect(await store.records.keyRecord(device, 1, periodId)).toMatchObject({
      record: { seq: 1, hash: first.record.hash },
      sealed: { body: first.object.sealed.body },
    });
    // The control: the same id in another epoch, or another camera's, is another period.
    const other = await Epoch.open(store);
    const theirs = other.camera.key(...other.next(), periodId);
    expect(await store.records.put(theirs.record, [theirs.object], 1)).toMatchObject({ outcome: 'stored' });
    await store.close();
  });

  it('has a key record before its object came, and no other', async () => {
    const store = await open();
    const epoch = await Epoch.open(store);
    const { record, object } = epoch.camera.key(...epoch.next());
    const periodId = record.value.key?.periodId ?? new Uint8Array(0);
    await store.records.put(record, [], 1);
    expect(await store.records.keyRecord(epoch.device, 1, periodId)).toMatchObject({
      record: { seq: 1 },
      sealed: null,
    });
    await store.records.put(record, [object], 1);
    expect(await epoch.hasKey(periodId)).toBe(true);
    expect(await epoch.hasKey(realRandom.bytes(16))).toBe(false);
    expect(await store.records.keyRecord(epoch.device, 2, periodId)).toBeUndefined();
    await store.close();
  });

  it('keeps a key record with its body while an object of its period is kept, however old it is', async () => {
    const store = await open();
    const epoch = await Epoch.open(store);
    const { periodId } = await epoch.key(1000);
    // The control: what goes by its age alone.
    const byAge = await epoch.ordinary(1000);
    const old = await epoch.picture(periodId, 1000);
    const young = await epoch.picture(periodId, 5000);
    await epoch.ordinary(5000);
    expect(await store.retention.overdue(2000, 99)).toEqual({ records: 2, oldestMs: 1000 });
    expect(await epoch.expire(2000)).toBe(2);
    expect(await epoch.hasRecord(byAge)).toBe(false);
    expect(await store.records.media(epoch.device, 1, old.id)).toBeUndefined();
    expect(await store.records.media(epoch.device, 1, young.id)).toBeDefined();
    expect(await epoch.hasKey(periodId)).toBe(true);
    // It holds up nothing and is not overdue.
    expect(await store.retention.overdue(2000, 99)).toEqual({ records: 0, oldestMs: null });
    expect((await store.retention.aged(2000, null, 9)).epochs).toEqual([]);
    expect(await epoch.expire(2000)).toBe(0);
    expect(await epoch.hasKey(periodId)).toBe(true);
    expect(await epoch.exported()).toContain(1);
    await store.close();
  });

  it('lets no floor pass a key record that is younger than what goes', async () => {
    const store = await open();
    const epoch = await Epoch.open(store);
    await epoch.ordinary(1000);
    await epoch.key(5000);
    await epoch.ordinary(5000);
    await epoch.ordinary(5000);
    const at = { device: epoch.device, epoch: 1 };
    expect(await store.retention.expirable(at, 2000, 9)).toEqual({ ...at, belowSeq: 2, records: 1 });
    await store.close();
  });

  it('keeps the key record of a period that may go on, and of one whose objects may still arrive', async () => {
    const store = await open();
    const epoch = await Epoch.open(store);
    const { periodId: first } = await epoch.key(1000);
    await epoch.picture(first, 1000);
    await epoch.key(1000);
    const { periodId: third } = await epoch.key(1000);
    // Received long ago, and all of it has gone: but nothing says that no more of it comes.
    await epoch.ordinary(5000);
    await epoch.ordinary(5000);
    expect(await epoch.expire(2000)).toBe(1);
    expect(await epoch.hasKey(first)).toBe(true);
    await epoch.drained(5000);
    await epoch.ordinary(9000);
    await epoch.ordinary(9000);
    // The control: with two later periods and an empty queue it goes; the last two, of which one may be in use, stay.
    expect(await epoch.expire(6000)).toBeGreaterThan(0);
    expect(await epoch.hasKey(first)).toBe(false);
    expect(await epoch.hasKey(third)).toBe(true);
    // A second key record of the period is refused also now.
    const forged = epoch.camera.key(...epoch.next(), first);
    expect(await store.records.put(forged.record, [forged.object], 9)).toEqual({ outcome: 'period-taken' });
    await store.close();
  });

  it('keeps a key record for a clip, and for an object that came after its record', async () => {
    const store = await open();
    const epoch = await Epoch.open(store);
    const clipped = await epoch.key(1000);
    const late = await epoch.key(1000);
    const unused = await epoch.key(1000);
    await epoch.key(1000);
    await epoch.key(1000);
    await epoch.drained(1000);
    await epoch.put(epoch.camera.film(...epoch.next(), clipped.periodId).record, 5000);
    const { record, object } = epoch.camera.picture(...epoch.next(), late.periodId);
    await epoch.put(record, 5000);
    expect(await store.records.put(record, [object], 5000)).toEqual({ outcome: 'duplicate' });
    await epoch.ordinary(5000);
    expect(await epoch.expire(2000)).toBe(1);
    const kept = await Promise.all([clipped, late, unused].map(({ periodId }) => epoch.hasKey(periodId)));
    expect(kept).toEqual([true, true, false]);
    await store.close();
  });

  it('keeps a key record in a range that its owner deleted while an object outside is kept, and exports it', async () => {
    const store = await open();
    const epoch = await Epoch.open(store);
    const { periodId } = await epoch.key(1);
    // The control: what is deleted as the owner said.
    const deleted = await epoch.ordinary(1);
    const outside = await epoch.picture(periodId, 1);
    const statement = epoch.deletion(1, deleted);
    await store.deletions.mark([statement], 9);
    for (const step of ['marked', 'erased']) {
      expect([step, await epoch.hasKey(periodId), await epoch.hasRecord(1)]).toEqual([step, true, false]);
      expect(await epoch.exported()).toEqual([0, 1, 3]);
      if (step === 'marked') expect(await store.deletions.erase(statement, 9)).toBe(1);
    }
    expect((await store.deletions.of(epoch.device, 1)).map(({ state }) => state)).toEqual(['erased']);
    expect(await store.records.media(epoch.device, 1, outside.id)).toBeDefined();
    await store.close();
  });

  it('shows a key record in a deleted range no longer than it shows something of its period, and erases it when spent', async () => {
    const store = await open();
    const epoch = await Epoch.open(store);
    const { periodId } = await epoch.key(1);
    await epoch.picture(periodId, 1);
    const other = await epoch.key(1);
    await epoch.picture(other.periodId, 1);
    const { periodId: last } = await epoch.key(1);
    await epoch.drained(1);
    const statement = epoch.deletion(1, 4);
    await store.deletions.mark([statement], 9);
    expect(await epoch.hasKey(periodId)).toBe(false);
    expect(await epoch.exported()).toEqual([0, 5, 6]);
    expect(await store.deletions.undo([statement], 1)).toBe(true);
    expect(await epoch.hasKey(periodId)).toBe(true);
    await store.deletions.mark([statement], 9);
    // In steps: the pictures first, then the key record that nothing needs; the other's period may still be in use.
    expect(await store.deletions.erase(statement, 1)).toBe(1);
    expect(await store.deletions.erase(statement, 2)).toBe(2);
    expect((await store.deletions.of(epoch.device, 1)).map(({ state }) => state)).toEqual(['erased']);
    expect(await epoch.hasKey(last)).toBe(true);
    await epoch.ordinary(5000);
    await epoch.ordinary(5000);
    expect(await epoch.expire(2000)).toBe(1);
    await store.close();
  });

  it('erases an account with its periods, so that nothing of them is left', async () => {
    const store = await open();
    const epoch = await Epoch.open(store);
    const { periodId, object } = await epoch.key(1);
    await epoch.picture(periodId, 1);
    expect(await store.accounts.delete(erasedEpochs(await store.accounts.claims(epoch.camera.world.account)))).toBe(3);
    expect(await store.records.keyRecord(epoch.device, 1, periodId)).toBeUndefined();
    expect(await store.records.media(epoch.device, 1, object.id)).toBeUndefined();
    await store.close();
  });
}
