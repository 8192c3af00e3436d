import { ownerKeys, type OwnerKeys } from '../../app/core/owner-keys.js';
import { loadRoot } from '../../app/core/root-at-rest.js';
import { protectRoot, unlockRoot } from '../../app/core/root-lock.js';
import { MemoryStorage } from '../../app/core/storage.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import { encapsulate, xwingKeys } from '../../protocol/crypto/xwing.js';
import type { Attack } from './attack.js';
import { asyncCodeOf, codeOf } from './codes.js';
import { cheapRecoveryFile } from './recovery-file.js';
import { VirtualClock } from './runner/virtual-clock.js';
import { CameraWorld } from './worlds/camera-world.js';
import { keeperOf } from './worlds/ownership-world.js';
import { kemKeyOf } from './worlds/sealing-camera.js';

const PASSPHRASE = 'four unrelated test words';

/** A browser whose root key was put under a passphrase, and the key itself, for comparison. */
async function protectBrowser() {
  const storage = new MemoryStorage();
  const master = realRandom.bytes(32);
  await storage.saveMaster(master);
  const clock = new VirtualClock();
  const request = { suite: nodeSuite, clock, random: realRandom, storage, master, passphrase: PASSPHRASE };
  (await protectRoot(request)).open.lock();
  return { storage, clock, root: ownerKeys(nodeSuite, master) };
}

/** One for all rows: the passphrase costs a second each time. */
let made: ReturnType<typeof protectBrowser> | null = null;

function protectedBrowser(): ReturnType<typeof protectBrowser> {
  made ??= protectBrowser();
  return made;
}

type Holds = 'what is stored' | 'the passphrase too';

/** The keys that somebody gets who holds all that the browser stores. */
async function keysHeld(
  { storage, clock }: Awaited<ReturnType<typeof protectBrowser>>,
  holds: Holds,
): Promise<OwnerKeys> {
  const own = ownerKeys(nodeSuite, (await storage.loadMaster()) ?? new Uint8Array(32));
  const atRest = await loadRoot(storage, own.signer.publicKey);
  if (atRest === null) throw new Error('not protected');
  return holds === 'what is stored' ? own : (await unlockRoot(nodeSuite, clock, atRest, PASSPHRASE)).keys;
}

/** The next claim of a camera whose claim names the root key and the browser's own. */
async function claimedBy(holds: Holds): Promise<string> {
  const browser = await protectedBrowser();
  const own = await keysHeld(browser, 'what is stored');
  const { camera, nonce, give, keeper } = keeperOf(2);
  const named = (keys: OwnerKeys) => {
    return { ed25519: keys.signer.publicKey, kem: kemHash(nodeSuite, kemKeyOf(keys)), role: 'owner' as const };
  };
  const { deviceId: device } = camera;
  const first = new CameraWorld({ owner: browser.root.signer }).claimV2(1, null, {
    nonce: nonce(),
    device,
    recipients: [named(browser.root), named(own)],
  });
  await give(first, [kemKeyOf(browser.root), kemKeyOf(own)]);
  keeper.offerToOwner();
  const keys = await keysHeld(browser, holds);
  const next = new CameraWorld({ owner: keys.signer }).claimV2(2, first.hash, {
    nonce: nonce(),
    device,
    recipients: [named(keys)],
  });
  return give(next, [kemKeyOf(keys)]);
}

/** Whether what was sealed to the root key alone, before it was protected, has the same secret here. */
async function opensEarlier(holds: Holds): Promise<string> {
  const browser = await protectedBrowser();
  const { enc, shared } = encapsulate(nodeSuite, realRandom, kemKeyOf(browser.root));
  const { kemSeed } = await keysHeld(browser, holds);
  const found = xwingKeys(nodeSuite, kemSeed).decapsulate(enc);
  return Buffer.from(found).equals(shared) ? 'opened' : 'another secret';
}

/** Signs with a root key that was open a moment ago. */
async function signedAfter(ms: number): Promise<string> {
  const browser = { ...(await protectedBrowser()), clock: new VirtualClock() };
  const { signer } = await keysHeld(browser, 'the passphrase too');
  browser.clock.advance(ms);
  return codeOf(() => signer.sign(Uint8Array.of(1)));
}

/** Opens the root key where the stored file was exchanged for that of another key, under the same passphrase. */
async function exchanged(isExchanged: boolean): Promise<string> {
  const { storage, clock } = await protectedBrowser();
  const root = await loadRoot(storage, new Uint8Array(32));
  if (root === null) throw new Error('not protected');
  const file = isExchanged ? await cheapRecoveryFile(realRandom.bytes(32), PASSPHRASE) : root.file;
  return asyncCodeOf(() => unlockRoot(nodeSuite, clock, { ...root, file }, PASSPHRASE));
}

/** What a thief of a browser tries whose root key rests under a passphrase. */
export const rootAttacks: readonly Attack[] = [
  {
    name: 'a thief with all that a browser stores whose root key is protected claims the camera for himself',
    expected: 'claim.claim-refused',
    observed: () => claimedBy('what is stored'),
    control: { name: 'with the passphrase', expected: 'accepted', observed: () => claimedBy('the passphrase too') },
  },
  {
    name: 'a thief with all that such a browser stores opens what was sealed before it was protected',
    expected: 'another secret',
    observed: () => opensEarlier('what is stored'),
    control: { name: 'with the passphrase', expected: 'opened', observed: () => opensEarlier('the passphrase too') },
  },
  {
    name: 'a program that kept the opened root key signs with it after five minutes',
    expected: 'claim-refused',
    observed: () => signedAfter(5 * 60_000),
    control: { name: 'a second before', expected: 'accepted', observed: () => signedAfter(5 * 60_000 - 1000) },
  },
  {
    name: 'another root key is put in place of the stored one, under a passphrase that is known',
    expected: 'recovery-refused',
    observed: () => exchanged(true),
    control: { name: 'the stored one', expected: 'accepted', observed: () => exchanged(false) },
  },
];
