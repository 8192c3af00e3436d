import { equal } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { MasterKey } from '../../protocol/owner/secrets.js';
import type { CloudClient } from './cloud-client.js';
import { Households } from './households.js';
import type { MemberKeys } from './member-keys.js';
import { openRootOf, type OpenRoot } from './open-root.js';
import { OwnKem } from './own-kem.js';
import { ownerKeys, recipientOf } from './owner-keys.js';
import { makeRecoveryFile, openRecoveryFile } from './recovery-file.js';
import { saveRoot, type RootAtRest } from './root-at-rest.js';
import type { AppStorage } from './storage.js';

export interface ProtectRequest {
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: AppStorage;
  /** The root's, which is in `storage` as it is. */
  readonly master: MasterKey;
  readonly passphrase: string;
  /** Fractions from 0 to 1. */
  readonly onProgress?: (fraction: number) => void;
}

/**
 * Puts the root key under a passphrase, and gives this browser a master key of its own in its place. The root key is returned
 * open, to name the browser's own key in the claims of the cameras: until then the browser sees them with the root key alone.
 *
 * @throws SealcamError `recovery-refused` if the passphrase is short or easily guessed
 */
export async function protectRoot(request: ProtectRequest): Promise<{ root: RootAtRest; open: OpenRoot }> {
  const { suite, clock, random, storage, passphrase, onProgress } = request;
  const master = request.master.slice();
  const { publicKey } = ownerKeys(suite, master).signer;
  const file = await makeRecoveryFile(
    { master, savedAtMs: Math.round(clock.wallMs()), epochs: [] },
    passphrase,
    random,
    onProgress,
  );
  const root = { publicKey, file };
  const ownMaster = random.bytes(32);
  const households = new Households(suite, storage, { ...recipientOf(ownerKeys(suite, ownMaster)), kemHash: null });
  await households.load();
  await households.accept({ ownerKey: publicKey });
  // In this order: at no time is the root key in neither place.
  await saveRoot(storage, root);
  await storage.saveMaster(ownMaster);
  return { root, open: openRootOf(suite, clock, master) };
}

/**
 * Opens the root key for a few minutes.
 * @throws SealcamError `recovery-refused` for another passphrase, and where the file holds another key than its public one
 */
export async function unlockRoot(
  suite: CryptoSuite,
  clock: Clock,
  { publicKey, file }: RootAtRest,
  passphrase: string,
  onProgress?: (fraction: number) => void,
): Promise<OpenRoot> {
  const { master } = await openRecoveryFile(file, passphrase, onProgress);
  if (!equal(ownerKeys(suite, master).signer.publicKey, publicKey)) {
    throw new SealcamError('recovery-refused', 'what is stored here holds another root key');
  }
  return openRootOf(suite, clock, master);
}

/**
 * Returns this browser's own keys as a claim names them, with the role of an owner. The KEM key waits in the cloud, where the
 * maker of a claim asks for it.
 *
 * @throws SealcamError `unsupported` by a cloud that takes no KEM keys, `cloud-unreachable`
 */
export async function ownBrowser(
  suite: CryptoSuite,
  storage: AppStorage,
  client: Pick<CloudClient, 'sendKemKey'>,
): Promise<MemberKeys> {
  const master = await storage.loadMaster();
  if (master === null) throw new SealcamError('claim-refused', 'this browser has no key of its own');
  const keys = ownerKeys(suite, master);
  const own = new OwnKem(suite, keys, storage);
  const kem = await own.hash();
  await client.sendKemKey(kem, await own.publicKey());
  return { ...recipientOf(keys), kem, role: 'owner' };
}
