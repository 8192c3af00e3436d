import { expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { ALARMS_PER_SOURCE_MAX } from '../../../../cloud/store/bounds.js';
import type { Alarm } from '../../../../cloud/store/store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import { revocationKind, type Revocation } from '../../../../protocol/objects/revocation.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import { CameraWorld } from '../../worlds/camera-world.js';
import { asyncCodeOf } from '../../codes.js';
import { claimed, type OpenStore } from './world.js';

/** Quarantine, alarms, revocations and the kill switch. */
export function operatorContract(open: OpenStore): void {
  it('keeps refused bytes in a quarantine, cut to a bounded size', async () => {
    const store = await open();
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

  it("keeps each signer's newest revocation list; what was revoked once stays revoked", async () => {
    const store = await open();
    const { world } = await claimed(store);
    const other = (await claimed(store)).world;
    const list = (signer: Signer, scope: 'owner' | 'maker', listVersion: number, entries: Revocation['entries']) =>
      signObject(revocationKind, nodeSuite, signer, { scope, listVersion, issuedAtMs: 5, entries });
    const stateOf = async ({ deviceId }: CameraWorld): Promise<string | undefined> =>
      (await store.claims.row(deviceId, 1))?.state;
    const own = { device: world.deviceId, epoch: 1 };

    expect(await store.revocations.put(list(world.owner, 'owner', 1, [own, { ...own, epoch: 2 }]), 1)).toBe('foreign');
    const withForeign = [own, { device: other.deviceId, epoch: 1 }];
    expect(await store.revocations.put(list(world.owner, 'owner', 1, withForeign), 1)).toBe('foreign');
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

  it('keeps the alarms of one camera however many another one causes', async () => {
    const store = await open();
    const alarm: Alarm = {
      atMs: 10,
      place: 'ingest',
      verdict: 'foreign',
      device: realRandom.bytes(32),
      epoch: null,
      reader: null,
      reason: 'the one that counts',
      quarantineId: null,
    };
    await store.alarms.put(alarm);
    const flooded = { ...alarm, device: realRandom.bytes(32), reason: 'noise' };
    for (let i = 0; i < ALARMS_PER_SOURCE_MAX + 20; i++) await store.alarms.put({ ...flooded, atMs: 11 + i });
    const kept = await store.alarms.since(0, 9999);
    expect(kept).toHaveLength(ALARMS_PER_SOURCE_MAX + 1);
    expect(kept.at(-1)).toMatchObject({ reason: 'the one that counts' });
    // The flooding camera's own oldest went.
    expect(kept.at(-2)).toMatchObject({ atMs: 11 + 20 });
    // A report of the app belongs to its reader: the cameras that it names are free.
    const reported = { ...alarm, place: 'app', reader: realRandom.bytes(16) } as const;
    for (let i = 0; i < ALARMS_PER_SOURCE_MAX + 20; i++) {
      await store.alarms.put({ ...reported, device: realRandom.bytes(32) });
    }
    const all = await store.alarms.since(0, 9999);
    expect(all.filter(({ place }) => place === 'app')).toHaveLength(ALARMS_PER_SOURCE_MAX);
    expect(all.filter(({ place }) => place === 'ingest')).toHaveLength(ALARMS_PER_SOURCE_MAX + 1);
    await store.close();
  });

  it('keeps alarms, and lists them newest first', async () => {
    const store = await open();
    const alarm: Alarm = {
      atMs: 10,
      place: 'read',
      verdict: 'foreign',
      device: realRandom.bytes(32),
      epoch: 2,
      reader: realRandom.bytes(16),
      reason: 'x'.repeat(999),
      quarantineId: 7,
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

  it('keeps pauses of reading, for one account or for everybody, and logs every change', async () => {
    const store = await open();
    const a = realRandom.bytes(16);
    const b = realRandom.bytes(16);
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

  it('rejects with store-unavailable once it is closed', async () => {
    const store = await open();
    await store.close();
    expect(await asyncCodeOf(() => store.claims.row(new Uint8Array(32), 1))).toBe('store-unavailable');
    expect(await asyncCodeOf(() => store.records.lastId())).toBe('store-unavailable');
  });
}
