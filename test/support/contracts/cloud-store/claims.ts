import { LIMITS } from '../../../../common/limits.js';
import { expect, it } from 'vitest';
import { toHex } from '../../../../common/bytes.js';
import { CameraWorld } from '../../worlds/camera-world.js';
import { claimed, type OpenStore } from './world.js';

/** Claims and offers. */
export function claimsContract(open: OpenStore): void {
  it('has no claim row before the camera accepted', async () => {
    const store = await open();
    const world = new CameraWorld();
    expect(await store.claims.row(world.deviceId, 1)).toBeUndefined();
    expect(await store.claims.latest(world.deviceId)).toBeUndefined();
    expect(await store.claims.readableBy(world.owner.publicKey)).toEqual([]);
    await store.close();
  });

  it('keeps one row for each epoch: the same claim again is a duplicate, another claim an equivocation', async () => {
    const store = await open();
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

  it('accepts only epochs above the last', async () => {
    const store = await open();
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

  it('lists the readers of an epoch by the keys in its claim', async () => {
    const store = await open();
    const { world } = await claimed(store);
    const stranger = new CameraWorld();
    expect(await store.claims.isMember(world.deviceId, 1, world.owner.publicKey)).toBe(true);
    expect(await store.claims.isMember(world.deviceId, 1, stranger.owner.publicKey)).toBe(false);
    expect(await store.claims.isMember(world.deviceId, 2, world.owner.publicKey)).toBe(false);
    expect(await store.claims.readableBy(world.owner.publicKey)).toHaveLength(1);
    await store.close();
  });

  it('closes an epoch once, at its tombstone', async () => {
    const store = await open();
    const { world } = await claimed(store);
    const other = await claimed(store);
    const openDevices = async (): Promise<string[]> => {
      const devices: string[] = [];
      for await (const { device } of store.claims.open()) devices.push(toHex(device));
      return devices;
    };
    expect(await openDevices()).toEqual([world, other.world].map(({ deviceId }) => toHex(deviceId)).sort());
    await store.claims.close(world.deviceId, 1, 6);
    await store.claims.close(world.deviceId, 1, 3);
    expect(await openDevices()).toEqual([toHex(other.world.deviceId)]);
    expect(await store.claims.row(world.deviceId, 1)).toMatchObject({ state: 'closed', closedAtSeq: 6 });
    await store.close();
  });

  it('keeps the last offer and one pending claim for each camera', async () => {
    const store = await open();
    const { deviceId } = new CameraWorld();
    await store.claims.putOffer(deviceId, { offer: Uint8Array.of(1), atMs: 10 });
    await store.claims.putOffer(deviceId, { offer: Uint8Array.of(2), atMs: 20 });
    expect(await store.claims.offer(deviceId)).toEqual({ offer: Uint8Array.of(2), atMs: 20 });
    const both = { offer: Uint8Array.of(2), offerV2: Uint8Array.of(6), atMs: 20 };
    await store.claims.putOffer(deviceId, both);
    expect(await store.claims.offer(deviceId)).toEqual(both);
    // The next one in version 1 alone leaves nothing of it.
    await store.claims.putOffer(deviceId, { offer: Uint8Array.of(2), atMs: 20 });
    expect(await store.claims.offer(deviceId)).toEqual({ offer: Uint8Array.of(2), atMs: 20 });
    const pending = { claim: Uint8Array.of(3), mac: null, nonce: Uint8Array.of(4), atMs: 30 };
    await store.claims.putPending(deviceId, pending);
    expect(await store.claims.pending(deviceId)).toEqual(pending);
    // The next offer of any camera removes what belongs to windows that have closed, and nothing younger.
    const other = new CameraWorld().deviceId;
    await store.claims.putOffer(other, { offer: Uint8Array.of(5), atMs: 20 + LIMITS.claimWindowMs });
    expect(await store.claims.offer(deviceId)).toBeDefined();
    await store.claims.putOffer(other, { offer: Uint8Array.of(5), atMs: 21 + LIMITS.claimWindowMs });
    expect(await store.claims.offer(deviceId)).toBeUndefined();
    expect(await store.claims.pending(deviceId)).toEqual(pending);
    await store.claims.putOffer(other, { offer: Uint8Array.of(5), atMs: 31 + LIMITS.claimWindowMs });
    expect(await store.claims.pending(deviceId)).toBeUndefined();
    await store.claims.putPending(deviceId, pending);
    await store.claims.dropPending(deviceId);
    expect(await store.claims.pending(deviceId)).toBeUndefined();
    await store.close();
  });

  it('lists what a person accepted whole, and of who else names the person a few epochs', async () => {
    const store = await open();
    const victim = new CameraWorld();
    const claims = async (world: CameraWorld, epochs: number): Promise<void> => {
      let previous: Uint8Array | null = null;
      for (let epoch = 1; epoch <= epochs; epoch++) {
        const claim = world.claim(epoch, previous, { recipients: [world.recipient, victim.recipient] });
        await store.claims.accept(claim, world.record(claim, 0, claim.hash, { kind: 'accept' }), 1);
        previous = claim.hash;
      }
    };
    const own = victim.claim();
    await store.claims.accept(own, victim.record(own, 0, own.hash, { kind: 'accept' }), 1);
    const family = new CameraWorld();
    await claims(family, 5);
    const rogues = Array.from({ length: 6 }, () => new CameraWorld());
    for (const rogue of rogues) await claims(rogue, 4);
    const seen = async (accounts: readonly Uint8Array[], sampleFrom: Uint8Array): Promise<Map<string, number[]>> => {
      const found = new Map<string, number[]>();
      for (const row of await store.claims.readableBy(victim.owner.publicKey, { accounts, sampleFrom })) {
        found.set(toHex(row.device), [...(found.get(toHex(row.device)) ?? []), row.epoch]);
      }
      return found;
    };
    const zero = new Uint8Array(16);
    const accepted = await seen([victim.account, family.account], zero);
    expect(accepted.get(toHex(victim.deviceId))).toEqual([1]);
    expect(accepted.get(toHex(family.deviceId))).toEqual([1, 2, 3, 4, 5]);
    const byAccount = rogues.sort((a, b) => Buffer.compare(a.account, b.account));
    const shown = (found: Map<string, number[]>): (number[] | undefined)[] =>
      byAccount.map(({ deviceId }) => found.get(toHex(deviceId)));
    const newest = [3, 4];
    expect(shown(accepted)).toEqual([newest, newest, newest, newest, undefined, undefined]);
    // Another session begins elsewhere: nobody is kept out for good.
    const later = await seen([victim.account, family.account], byAccount[3]?.account ?? zero);
    expect(shown(later)).toEqual([newest, newest, undefined, undefined, newest, newest]);
    // The control: without the household, everything that names the key.
    expect(await store.claims.readableBy(victim.owner.publicKey)).toHaveLength(30);
    await store.close();
  });
}
