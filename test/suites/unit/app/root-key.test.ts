import { describe, expect, it } from 'vitest';
import { HistoryKeeper } from '../../../../app/core/history-keeper.js';
import { ROOT_OPEN_MAX_MS, openRootOf } from '../../../../app/core/open-root.js';
import { ownerKeys, recipientOf } from '../../../../app/core/owner-keys.js';
import { loadRoot, saveRoot } from '../../../../app/core/root-at-rest.js';
import { ownBrowser, protectRoot, unlockRoot } from '../../../../app/core/root-lock.js';
import { MemoryStorage } from '../../../../app/core/storage.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { kemHash } from '../../../../protocol/objects/kem-keys.js';
import { asyncCodeOf, codeOf } from '../../../support/codes.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { kemKeyOf } from '../../../support/worlds/sealing-camera.js';

const PASSPHRASE = 'four unrelated test words';

async function protectedBrowser() {
  const storage = new MemoryStorage();
  const clock = new VirtualClock();
  const master = realRandom.bytes(32);
  await storage.saveMaster(master);
  const request = { suite: nodeSuite, clock, random: realRandom, storage, master, passphrase: PASSPHRASE };
  return { storage, clock, master, ...(await protectRoot(request)) };
}

describe('the root key under a passphrase', () => {
  it('leaves a key of its own in its place, and follows the claims of the root key', async () => {
    const { storage, master, root, open } = await protectedBrowser();
    const own = (await storage.loadMaster()) ?? new Uint8Array();
    expect(toHex(own)).not.toBe(toHex(master));
    const rootKeys = ownerKeys(nodeSuite, master);
    expect(toHex(root.publicKey)).toBe(toHex(rootKeys.signer.publicKey));
    expect(toHex(open.keys.signer.publicKey)).toBe(toHex(root.publicKey));
    const ownKeys = ownerKeys(nodeSuite, own);
    expect(await loadRoot(storage, ownKeys.signer.publicKey)).toEqual(root);
    const history = new HistoryKeeper(nodeSuite, storage, recipientOf(ownKeys));
    await history.load();
    expect(history.acceptedAccounts()).toEqual([toHex(rootKeys.account)]);
  });

  it('opens with its passphrase and no other, and refuses one that is guessed first', async () => {
    const { storage, clock, master, root } = await protectedBrowser();
    expect(await asyncCodeOf(() => unlockRoot(nodeSuite, clock, root, `${PASSPHRASE}.`))).toBe('recovery-refused');
    const { keys } = await unlockRoot(nodeSuite, clock, root, PASSPHRASE);
    expect(toHex(keys.master)).toBe(toHex(master));
    const weak = { suite: nodeSuite, clock, random: realRandom, storage, master, passphrase: 'password12' };
    expect(await asyncCodeOf(() => protectRoot(weak))).toBe('recovery-refused');
  });

  it('is forgotten when it is locked, by hand or by time, and says so once', () => {
    const clock = new VirtualClock();
    for (const byHand of [true, false]) {
      const open = openRootOf(nodeSuite, clock, realRandom.bytes(32));
      let locks = 0;
      open.onLock(() => locks++);
      open.keys.signer.sign(Uint8Array.of(1));
      clock.advance(ROOT_OPEN_MAX_MS - 1);
      expect([locks, open.keys.master.some((byte) => byte !== 0)]).toEqual([0, true]);
      if (byHand) open.lock();
      clock.advance(1);
      open.lock();
      expect(locks).toBe(1);
      const { master, kemSeed, recipient, signer } = open.keys;
      expect([master, kemSeed, recipient.secret].every((secret) => secret.every((byte) => byte === 0))).toBe(true);
      expect(codeOf(() => signer.sign(Uint8Array.of(1)))).toBe('claim-refused');
      open.onLock(() => locks++);
      expect(locks).toBe(2);
    }
    expect(clock.pending).toBe(0);
  });

  it('counts as unprotected while the root key itself still stands in the place of the own key', async () => {
    const storage = new MemoryStorage();
    const { publicKey } = ownerKeys(nodeSuite, realRandom.bytes(32)).signer;
    await saveRoot(storage, { publicKey, file: 'wrapped' });
    expect(await loadRoot(storage, publicKey)).toBeNull();
    expect(await loadRoot(storage, new Uint8Array(32))).toEqual({ publicKey, file: 'wrapped' });
    expect(await loadRoot(new MemoryStorage(), publicKey)).toBeNull();
  });

  it('gives the claims this browser by its own keys, whose KEM key it deposits', async () => {
    const { storage } = await protectedBrowser();
    const own = ownerKeys(nodeSuite, (await storage.loadMaster()) ?? new Uint8Array(32));
    const deposited: Uint8Array[][] = [];
    const client = { sendKemKey: (...sent: Uint8Array[]) => Promise.resolve(void deposited.push(sent)) };
    const kem = kemHash(nodeSuite, kemKeyOf(own));
    expect(await ownBrowser(nodeSuite, storage, client)).toEqual({ ...recipientOf(own), kem, role: 'owner' });
    expect(deposited).toEqual([[kem, kemKeyOf(own)]]);
  });
});

describe('a browser beside its root key', () => {
  it('follows the epochs that name its own key, and leaves those of the root key alone to that', async () => {
    const { storage, master } = await protectedBrowser();
    const root = ownerKeys(nodeSuite, master);
    const own = ownerKeys(nodeSuite, (await storage.loadMaster()) ?? new Uint8Array(32));
    const world = new CameraWorld({ owner: root.signer });
    const named = (keys: typeof root) => {
      return { ed25519: keys.signer.publicKey, kem: kemHash(nodeSuite, kemKeyOf(keys)), role: 'owner' as const };
    };
    const before = world.claimV2(1, null, { recipients: [named(root)] });
    const after = world.claimV2(2, before.hash, { recipients: [named(root), named(own)] });
    const keeperOf = async (keys: typeof root): Promise<HistoryKeeper> => {
      const kem = named(keys).kem;
      const keeper = new HistoryKeeper(nodeSuite, storage, recipientOf(keys), { kemHash: () => Promise.resolve(kem) });
      await keeper.load();
      return keeper;
    };
    const atRoot = await keeperOf(root);
    for (const { bytes } of [before, after]) await atRoot.addClaim(bytes);
    const held = [await keeperOf(root), await keeperOf(own)].map((keeper) =>
      [1, 2].map((epoch) => keeper.claimOf(world.deviceId, epoch) !== null),
    );
    expect(held).toEqual([
      [true, true],
      [false, true],
    ]);
    const mine = await keeperOf(own);
    expect([mine.isOwned(world.deviceId, 2), mine.mayOrder(world.deviceId, 2)]).toEqual([false, true]);
  });
});
