import { realClock } from '../../../common/adapters/real-clock.js';
import { sleep } from '../../../common/clock.js';
import { asSealcamError } from '../../../common/errors.js';
import type { CloudClient } from '../../../app/core/cloud-client.js';
import { HistoryKeeper } from '../../../app/core/history-keeper.js';
import { MemberBook } from '../../../app/core/member-keys.js';
import { OwnKem } from '../../../app/core/own-kem.js';
import type { OwnerDependencies } from '../../../app/core/owner.js';
import { recipientOf, type OwnerKeys } from '../../../app/core/owner-keys.js';
import type { AppStorage } from '../../../app/core/storage.js';
import type { CryptoSuite } from '../../../protocol/crypto/suite.js';
import { anyOfferKind } from '../../../protocol/objects/offer.js';
import { openSigned, versionOf, type ProtocolVersion } from '../../../protocol/objects/signed-object.js';
import { until } from '../runner/wait.js';

/** Returns the history and the KEM keys of a page as it is now; of one of version 0.1, which has no KEM keys, if told so. */
export function pageKeys(
  suite: CryptoSuite,
  keys: OwnerKeys,
  storage: AppStorage,
  version: ProtocolVersion = 2,
): Pick<OwnerDependencies, 'history' | 'kem'> {
  const own = recipientOf(keys);
  if (version === 1) return { history: new HistoryKeeper(suite, storage, own) };
  const kem = { own: new OwnKem(suite, keys, storage), members: new MemberBook(storage) };
  return { history: new HistoryKeeper(suite, storage, own, { kemHash: () => kem.own.hash() }), kem };
}

/** The cloud limits how often it is asked. */
const ASK_EVERY_MS = 400;

/** Waits until a camera offers at least this version: one that has just connected offers version 2 once the cloud has greeted it. */
export async function untilOffered(
  client: CloudClient,
  suite: CryptoSuite,
  device: Uint8Array,
  version: ProtocolVersion,
  timeoutMs?: number,
): Promise<void> {
  const isOffered = async (): Promise<boolean> => {
    try {
      if (versionOf(openSigned(anyOfferKind, suite, await client.offer(device)).value) >= version) return true;
    } catch (error) {
      if (asSealcamError(error).code !== 'not-found') throw error;
    }
    await sleep(realClock, ASK_EVERY_MS);
    return false;
  };
  await until(`an offer of version ${String(version)}`, isOffered, timeoutMs);
}
