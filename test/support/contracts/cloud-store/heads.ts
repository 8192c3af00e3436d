import { expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import { headsKind, type Heads } from '../../../../protocol/objects/heads.js';
import { openSigned, signObject, type Verified } from '../../../../protocol/objects/signed-object.js';
import type { CloudStore } from '../../../../cloud/store/store.js';
import { CameraWorld } from '../../worlds/camera-world.js';
import { claimed, erasedEpochs, type OpenStore } from './world.js';

function headsOf(signer: Signer, browser: Uint8Array, counter: number): Verified<Heads> {
  return signObject(headsKind, nodeSuite, signer, { browser, counter, issuedAtMs: 0, heads: [] });
}

/** What browsers of a household verified. */
export function headsContract(open: OpenStore): void {
  const countersOf = async (store: CloudStore, ...signers: Signer[]): Promise<number[]> =>
    (await store.heads.ofKeys(signers.map(({ publicKey }) => publicKey)))
      .map(({ statement }) => openSigned(headsKind, nodeSuite, statement).value.counter)
      .sort((a, b) => a - b);

  it('keeps the newest statement of heads of each browser, and refuses a counter that is not above the last', async () => {
    const store = await open();
    const { owner } = new CameraWorld();
    const other = new CameraWorld().owner;
    const [one, two] = [realRandom.bytes(16), realRandom.bytes(16)];
    expect(await store.heads.put(headsOf(owner, one, 5), 1)).toBe('stored');
    expect(await store.heads.put(headsOf(owner, one, 5), 2)).toBe('rollback');
    expect(await store.heads.put(headsOf(owner, one, 4), 2)).toBe('rollback');
    expect(await store.heads.put(headsOf(owner, two, 1), 2)).toBe('stored');
    expect(await store.heads.put(headsOf(other, one, 2), 2)).toBe('stored');
    expect(await countersOf(store, owner)).toEqual([1, 5]);
    expect(await store.heads.put(headsOf(owner, one, 6), 3)).toBe('stored');
    expect(await countersOf(store, owner, other)).toEqual([1, 2, 6]);
    expect(await countersOf(store, new CameraWorld().owner)).toEqual([]);
    await store.close();
  });

  it('keeps the heads of a bounded number of browsers for each key; the one heard of least recently goes', async () => {
    const store = await open();
    const { owner } = new CameraWorld();
    const other = new CameraWorld().owner;
    await store.heads.put(headsOf(other, realRandom.bytes(16), 99), 0);
    const browsers = Array.from({ length: 17 }, () => realRandom.bytes(16));
    for (const [i, browser] of browsers.entries()) await store.heads.put(headsOf(owner, browser, i + 1), i);
    expect(await countersOf(store, owner)).toEqual(Array.from({ length: 16 }, (_, i) => i + 2));
    expect(await countersOf(store, other)).toEqual([99]);
    await store.close();
  });

  it('erases the heads of a key with the last epoch that it reads', async () => {
    const store = await open();
    const { owner } = new CameraWorld();
    const first = await claimed(store, new CameraWorld({ owner }));
    const second = await claimed(store, new CameraWorld({ owner }));
    const stranger = await claimed(store);
    await store.heads.put(headsOf(owner, realRandom.bytes(16), 1), 1);
    await store.heads.put(headsOf(stranger.world.owner, realRandom.bytes(16), 2), 1);
    await store.accounts.delete(erasedEpochs([{ device: first.world.deviceId, epoch: 1 }]));
    expect(await countersOf(store, owner)).toEqual([1]);
    await store.accounts.delete(erasedEpochs([{ device: second.world.deviceId, epoch: 1 }]));
    expect(await countersOf(store, owner, stranger.world.owner)).toEqual([2]);
    await store.close();
  });
}
