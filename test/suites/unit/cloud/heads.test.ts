import { describe, expect, it } from 'vitest';
import { toBase64, toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import { headsKind, headsKindV2 } from '../../../../protocol/objects/heads.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { deletionOf, DeletionWorld, headsOf } from '../../../support/worlds/deletion-world.js';

async function readBy(world: DeletionWorld, signer: Signer): Promise<readonly string[]> {
  const { body } = await world.api.get('/v1/heads', await world.token(signer));
  return (body as { statements: readonly string[] }).statements;
}

describe('heads', () => {
  it('pass between the browsers of a household, owner and members, each newest once', async () => {
    const world = await DeletionWorld.open();
    const member = new CameraWorld().owner;
    const own = await world.owner(member);
    const { owner } = own.world;
    const first = headsOf(owner, 1, [own]);
    const newer = headsOf(owner, 2, [own]);
    const phone = headsOf(owner, 1, [own], 2);
    const theirs = headsOf(member, 9, [own]);
    expect(await world.sendHeads(own.token, first)).toBe('204');
    expect(await world.sendHeads(own.token, newer)).toBe('204');
    expect(await world.sendHeads(own.token, first)).toBe('statement-refused');
    expect(await world.sendHeads(own.token, newer)).toBe('statement-refused');
    expect(await world.sendHeads(own.token, phone)).toBe('204');
    expect(await world.sendHeads(await world.token(member), theirs)).toBe('204');
    const all = [newer, phone, theirs].map(({ bytes }) => toBase64(bytes)).sort();
    expect([...(await readBy(world, owner))].sort()).toEqual(all);
    expect([...(await readBy(world, member))].sort()).toEqual(all);
    expect(await readBy(world, new CameraWorld().owner)).toEqual([]);
  });

  it('of version 2 pass too, in the place of those of version 1, and name the settings', async () => {
    const world = await DeletionWorld.open();
    const own = await world.owner(null);
    const { owner } = own.world;
    const first = headsOf(owner, 1, [own]);
    const settings = [3, new Uint8Array(32)] as const;
    const value = { ...first.value, version: 2 as const, counter: 2, settings };
    const second = signObject(headsKindV2, nodeSuite, owner, value);
    expect(await world.sendHeads(own.token, first)).toBe('204');
    expect(await world.sendHeads(own.token, second)).toBe('204');
    expect(await world.sendHeads(own.token, headsOf(owner, 2, [own]))).toBe('statement-refused');
    expect(await readBy(world, owner)).toEqual([toBase64(second.bytes)]);
  });

  it('go only to those who may read every epoch that is named', async () => {
    const world = await DeletionWorld.open();
    const member = new CameraWorld().owner;
    const shared = await world.owner(member);
    const { owner } = shared.world;
    const unshared = await world.owner(null, new CameraWorld({ owner, cloud: world.api.receiptSigner }));
    await world.sendHeads(shared.token, headsOf(owner, 1, [shared, unshared]));
    expect(await readBy(world, owner)).toHaveLength(1);
    expect(await readBy(world, member)).toEqual([]);
    await world.sendHeads(shared.token, headsOf(owner, 2, [shared]));
    expect(await readBy(world, member)).toHaveLength(1);
  });

  it('about a revoked epoch still pass; about an account that is paused or marked they do not', async () => {
    const world = await DeletionWorld.open();
    const { store } = world.api;
    const member = new CameraWorld().owner;
    const own = await world.owner(member);
    await world.sendHeads(await world.token(member), headsOf(member, 1, [own]));
    await world.sql("UPDATE claim SET state = 'revoked' WHERE device = {device}", { device: own.world.deviceId });
    expect(await readBy(world, own.world.owner)).toHaveLength(1);
    await store.reads.pause({ account: own.world.account, sentence: 'x', sinceMs: 1 });
    expect(await readBy(world, member)).toEqual([]);
    await store.reads.resume(own.world.account, 2);
    expect(await readBy(world, member)).toHaveLength(1);
    await world.deleteAccount(own);
    expect(await readBy(world, member)).toEqual([]);
  });

  it('are refused from a key that reads no camera, signed by another key, and of an account that is marked', async () => {
    const world = await DeletionWorld.open();
    const own = await world.owner();
    const stranger = new CameraWorld().owner;
    expect(await world.sendHeads(await world.token(stranger), headsOf(stranger, 1, []))).toBe('foreign');
    expect(await world.sendHeads(own.token, headsOf(stranger, 1, [own]))).toBe('foreign');
    expect(await world.api.store.heads.ofKeys([stranger.publicKey])).toEqual([]);
    await world.deleteAccount(own, deletionOf(own, { fromSeq: 0 }));
    expect(await world.sendHeads(own.token, headsOf(own.world.owner, 1, [own]))).toBe('account-marked');
  });

  it('of as many epochs as the protocol allows fit into a request', async () => {
    const world = await DeletionWorld.open();
    const own = await world.owner();
    const heads = Array.from({ length: 512 }, (_, i) => [own.world.deviceId, i + 1, 2 ** 40, own.last.hash] as const);
    const full = signObject(headsKind, nodeSuite, own.world.owner, {
      browser: new Uint8Array(16),
      counter: 2 ** 41,
      issuedAtMs: 2 ** 41,
      heads,
    });
    expect(await world.sendHeads(own.token, full)).toBe('204');
    expect(toHex(own.world.deviceId)).toHaveLength(64);
  });
});
