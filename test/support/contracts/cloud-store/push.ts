import { expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import type { CloudStore, NewPushSubscription } from '../../../../cloud/store/store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Revocation } from '../../../../protocol/objects/revocation.js';
import { revocationKind } from '../../../../protocol/objects/revocation.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import { CameraWorld } from '../../worlds/camera-world.js';
import { claimed, erasedEpochs, type OpenStore } from './world.js';

const DAY_MS = 86_400_000;

function subscription(key: Uint8Array, change: Partial<NewPushSubscription> = {}): NewPushSubscription {
  return {
    id: realRandom.bytes(16),
    key,
    endpoint: `https://push.example/${toHex(realRandom.bytes(8))}`,
    p256dh: realRandom.bytes(65),
    auth: realRandom.bytes(16),
    choices: '{}',
    createdAtMs: DAY_MS,
    ...change,
  };
}

/** Browsers that asked for notifications. */
export function pushContract(open: OpenStore): void {
  const idsOf = async (store: CloudStore, ...keys: Uint8Array[]): Promise<string[]> =>
    (await store.push.ofKeys(keys)).map(({ id }) => toHex(id));

  it('keeps the subscriptions of each key, and the same endpoint once, under its first id', async () => {
    const store = await open();
    const [one, two] = [realRandom.bytes(32), realRandom.bytes(32)];
    const first = subscription(one);
    const second = subscription(one, { createdAtMs: DAY_MS + 1 });
    // The same browser, of which two persons use the page.
    const other = subscription(two, { endpoint: first.endpoint });
    for (const given of [first, second, other]) expect(await store.push.put(given)).toEqual(given.id);
    expect(await idsOf(store, one)).toEqual([first.id, second.id].map(toHex));
    expect(await idsOf(store, two)).toEqual([toHex(other.id)]);
    expect(await store.push.find(first.id)).toEqual({ ...first, lastOkMs: null, failingSinceMs: null });
    const again = subscription(one, { endpoint: first.endpoint, choices: '{"kinds":[]}', createdAtMs: 2 * DAY_MS });
    expect(await store.push.put(again)).toEqual(first.id);
    expect(await store.push.find(first.id)).toMatchObject({
      choices: again.choices,
      auth: again.auth,
      createdAtMs: DAY_MS,
    });
    expect(await store.push.find(again.id)).toBeUndefined();
    await store.push.remove(two, first.id);
    expect(await idsOf(store, one)).toHaveLength(2);
    await store.push.remove(one, first.id);
    await store.push.remove(one, first.id);
    expect(await idsOf(store, one, two)).toEqual(expect.arrayContaining([second.id, other.id].map(toHex)));
    expect(await idsOf(store, one)).toEqual([toHex(second.id)]);
    await store.close();
  });

  it('takes eight of a key and no more, but the same endpoint again', async () => {
    const store = await open();
    const [key, other] = [realRandom.bytes(32), realRandom.bytes(32)];
    const eight = Array.from({ length: 8 }, () => subscription(key));
    for (const given of eight) expect(await store.push.put(given)).toEqual(given.id);
    expect(await store.push.put(subscription(key))).toBeNull();
    expect(await store.push.put(subscription(key, { endpoint: eight[3]?.endpoint ?? '' }))).toEqual(eight[3]?.id);
    expect(await store.push.put(subscription(other))).not.toBeNull();
    expect(await idsOf(store, key)).toHaveLength(8);
    await store.close();
  });

  it('removes one that failed for a week, and one that was silent for longer than a year', async () => {
    const store = await open();
    const key = realRandom.bytes(32);
    const [failing, working, old] = [subscription(key), subscription(key), subscription(key, { createdAtMs: 0 })];
    for (const given of [failing, working, old]) await store.push.put(given);
    for (const day of [1, 3, 8]) {
      await store.push.noteFailed(failing.id, day * DAY_MS);
      await store.push.noteFailed(working.id, day * DAY_MS);
      if (day === 3) await store.push.noteSent(working.id, 4 * DAY_MS);
    }
    expect(await store.push.find(working.id)).toMatchObject({ lastOkMs: 4 * DAY_MS, failingSinceMs: 8 * DAY_MS });
    expect(await store.push.find(failing.id)).toMatchObject({ failingSinceMs: DAY_MS });
    await store.push.noteFailed(failing.id, 8 * DAY_MS + 1);
    expect(await store.push.find(failing.id)).toBeUndefined();
    await store.push.put(subscription(realRandom.bytes(32), { createdAtMs: 400 * DAY_MS }));
    expect(await store.push.find(old.id)).toBeDefined();
    await store.push.put(subscription(realRandom.bytes(32), { createdAtMs: 400 * DAY_MS + 1 }));
    expect(await store.push.find(old.id)).toBeUndefined();
    expect(await store.push.find(working.id)).toBeDefined();
    await store.close();
  });

  it('tells a silence once, and a later one again', async () => {
    const store = await open();
    const at = { device: realRandom.bytes(32), epoch: 1 };
    const told = [5, 5, 4, 6].map((sinceMs) => () => store.push.noteSilence(at, sinceMs));
    const answers: boolean[] = [];
    for (const tell of told) answers.push(await tell());
    expect(answers).toEqual([true, false, false, true]);
    expect(await store.push.noteSilence({ ...at, epoch: 2 }, 1)).toBe(true);
    await store.close();
  });

  it('erases the subscriptions of a key with the last epoch that it reads', async () => {
    const store = await open();
    const { owner } = new CameraWorld();
    const first = await claimed(store, new CameraWorld({ owner }));
    const second = await claimed(store, new CameraWorld({ owner }));
    const stranger = await claimed(store);
    const [mine, other] = [subscription(owner.publicKey), subscription(stranger.world.owner.publicKey)];
    for (const given of [mine, other]) await store.push.put(given);
    const both = [mine.key, other.key] as const;
    await store.accounts.delete(erasedEpochs([{ device: first.world.deviceId, epoch: 1 }]));
    expect(await idsOf(store, ...both)).toHaveLength(2);
    await store.accounts.delete(erasedEpochs([{ device: second.world.deviceId, epoch: 1 }]));
    expect(await idsOf(store, ...both)).toEqual([toHex(other.id)]);
    await store.close();
  });

  it('erases the subscriptions of a key whose last epoch, or camera, was revoked', async () => {
    const store = await open();
    const { owner } = new CameraWorld();
    const maker = nodeSuite.ed25519Signer(realRandom.bytes(32));
    const first = await claimed(store, new CameraWorld({ owner }));
    const second = await claimed(store, new CameraWorld({ owner }));
    const stranger = await claimed(store);
    for (const key of [owner.publicKey, stranger.world.owner.publicKey]) await store.push.put(subscription(key));
    const list = (listVersion: number, entries: Revocation['entries']) =>
      ({ listVersion, issuedAtMs: 0, entries }) as const;
    const byOwner = { scope: 'owner', ...list(1, [{ device: first.world.deviceId, epoch: 1 }]) } as const;
    expect(await store.revocations.put(signObject(revocationKind, nodeSuite, owner, byOwner), 1)).toBe('stored');
    expect(await idsOf(store, owner.publicKey)).toHaveLength(1);
    const byMaker = { scope: 'maker', ...list(1, [{ device: second.world.deviceId }]) } as const;
    expect(await store.revocations.put(signObject(revocationKind, nodeSuite, maker, byMaker), 1)).toBe('stored');
    expect(await idsOf(store, owner.publicKey)).toEqual([]);
    expect(await idsOf(store, stranger.world.owner.publicKey)).toHaveLength(1);
    await store.close();
  });
}
