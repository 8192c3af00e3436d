import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { decodeContent, type SealedContent } from './content.js';
import { decodeObjectHeader, refuseSuite2, type ObjectContext } from './object.js';
import type { OpenedPeriod } from './open-period.js';
import { unseal, type RecipientKeys, type SealedObject } from './seal.js';

/** What a recipient opens seals with. */
export interface OpeningKeys {
  /** For suite 1; null where the recipient is of version-2 claims only. */
  readonly x25519: RecipientKeys | null;
  /** For suite 2; undefined where the key record of this period has not come. */
  readonly periodOf: (periodId: Uint8Array) => OpenedPeriod | undefined;
}

/**
 * Opens a picture or detail of an epoch. The claim's version alone decides which suite its objects have, so that nobody can
 * choose the weaker one. Returns undefined where the key record has not come: the object is `pending`.
 *
 * @throws SealcamError `malformed` (also the other suite), `seal-refused`, `unsupported`
 */
export function openSealed(
  suite: CryptoSuite,
  claimVersion: 1 | 2,
  context: ObjectContext,
  keys: OpeningKeys,
  sealed: SealedObject,
): SealedContent | undefined {
  if (claimVersion === 2) {
    const period = keys.periodOf(decodeObjectHeader(sealed.header).periodId);
    return period === undefined ? undefined : decodeContent(period.open(context, sealed));
  }
  refuseSuite2(sealed.header);
  if (keys.x25519 === null) throw new SealcamError('seal-refused', 'not sealed to this key');
  return unseal(suite, context, keys.x25519, sealed);
}
