import { expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { accountId } from '../../../../protocol/objects/ids.js';
import { settingsKind, type Settings } from '../../../../protocol/objects/settings.js';
import { signObject, type Verified } from '../../../../protocol/objects/signed-object.js';
import type { CloudStore } from '../../../../cloud/store/store.js';
import { CameraWorld } from '../../worlds/camera-world.js';
import { claimed, erasedEpochs, type OpenStore } from './world.js';

/** What the browsers of a household share. */
export function settingsContract(open: OpenStore): void {
  const { owner } = new CameraWorld();
  const account = accountId(nodeSuite, owner.publicKey);
  const made = (settingsVersion: number, parents: readonly Verified<Settings>[], of = account): Verified<Settings> =>
    signObject(settingsKind, nodeSuite, owner, {
      version: 2,
      account: of,
      settingsVersion,
      parents: parents.map(({ hash }) => hash),
      issuedAtMs: 0,
      header: realRandom.bytes(16),
      body: realRandom.bytes(32),
    });
  const held = async (store: CloudStore, of = account): Promise<string[]> =>
    (await store.settings.of(of)).map(toHex).sort();
  const bytesOf = (...objects: readonly Verified<Settings>[]): string[] =>
    objects.map(({ bytes }) => toHex(bytes)).sort();

  it('keeps the settings that no other names as a parent, of each account by itself', async () => {
    const store = await open();
    const first = made(0, []);
    const [left, right] = [made(1, [first]), made(1, [first])];
    const joined = made(2, [left, right]);
    const other = made(0, [], realRandom.bytes(16));
    expect(await store.settings.put(first, 1)).toBe('stored');
    expect(await store.settings.put(other, 1)).toBe('stored');
    // Two browsers wrote at once: both stay.
    for (const one of [left, right]) expect(await store.settings.put(one, 2)).toBe('stored');
    expect(await held(store)).toEqual(bytesOf(left, right));
    expect(await store.settings.put(joined, 3)).toBe('stored');
    // Again, as after an answer that was lost; of an older one nothing comes back.
    for (const one of [joined, left]) expect(await store.settings.put(one, 4)).toBe('stored');
    expect(await held(store)).toEqual(bytesOf(joined));
    expect(await held(store, other.value.account)).toEqual(bytesOf(other));
    expect(await held(store, realRandom.bytes(16))).toEqual([]);
    await store.close();
  });

  it('refuses settings made from what is not here, or of another version than the next', async () => {
    const store = await open();
    const first = made(0, []);
    const elsewhere = made(0, [], realRandom.bytes(16));
    for (const one of [first, elsewhere]) await store.settings.put(one, 1);
    expect(await store.settings.put(made(1, [made(0, [])]), 2)).toBe('unknown-parent');
    expect(await store.settings.put(made(1, [first, made(0, [])]), 2)).toBe('unknown-parent');
    expect(await store.settings.put(made(1, [elsewhere]), 2)).toBe('unknown-parent');
    expect(await store.settings.put(made(2, [first]), 2)).toBe('unknown-parent');
    expect(await held(store)).toEqual(bytesOf(first));
    // The control.
    expect(await store.settings.put(made(1, [first]), 2)).toBe('stored');
    await store.close();
  });

  it('keeps 16 settings side by side, and takes 30 within a minute', async () => {
    const store = await open();
    const firsts = Array.from({ length: 16 }, () => made(0, []));
    for (const one of firsts) expect(await store.settings.put(one, 1)).toBe('stored');
    expect(await store.settings.put(made(0, []), 1)).toBe('full');
    let last = made(1, firsts.slice(0, 8));
    expect(await store.settings.put(last, 1)).toBe('stored');
    expect((await held(store)).length).toBe(9);
    for (let version = 2; version < 15; version++) {
      last = made(version, [last]);
      expect(await store.settings.put(last, 1)).toBe('stored');
    }
    const next = made(15, [last]);
    expect(await store.settings.put(next, 60_000)).toBe('too-often');
    expect(await store.settings.put(next, 60_001)).toBe('stored');
    await store.close();
  });

  it('erases the settings with the last epoch of their account', async () => {
    const store = await open();
    const first = await claimed(store, new CameraWorld({ owner }));
    const second = await claimed(store, new CameraWorld({ owner }));
    const mine = made(0, []);
    const other = made(0, [], realRandom.bytes(16));
    for (const one of [mine, other]) await store.settings.put(one, 1);
    await store.accounts.delete(erasedEpochs([{ device: first.world.deviceId, epoch: 1 }]));
    expect(await held(store)).toEqual(bytesOf(mine));
    await store.accounts.delete(erasedEpochs([{ device: second.world.deviceId, epoch: 1 }]));
    expect(await held(store)).toEqual([]);
    expect(await held(store, other.value.account)).toEqual(bytesOf(other));
    await store.close();
  });
}
