/** KEM keys of a claim of version 2: the claim holds their hashes, the keys travel beside it in its order, as its MAC does. */
import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../crypto/suite.js';
import type { ClaimV2 } from './claim.js';
import { KEM_KEY_BYTES } from './ids.js';

/** Returns the hash by which a claim or a member object names a KEM key: SHA-256, 32 bytes. */
export function kemHash(suite: CryptoSuite, kemKey: Uint8Array): Uint8Array {
  return suite.sha256(kemKey);
}

/**
 * Checks the KEM keys that came beside a claim: as many as its recipients, in their order, each the key that is named.
 * A camera checks beyond this that one encapsulation to each succeeds.
 *
 * @throws SealcamError `kem-key`
 */
export function checkKemKeys(suite: CryptoSuite, claim: ClaimV2, keys: readonly Uint8Array[]): void {
  const { recipients } = claim;
  if (keys.length !== recipients.length) {
    throw new SealcamError('kem-key', `${String(keys.length)} KEM keys beside ${String(recipients.length)} recipients`);
  }
  for (const [i, { kem }] of recipients.entries()) {
    const key = keys[i];
    if (key?.length !== KEM_KEY_BYTES || !equal(kemHash(suite, key), kem)) {
      throw new SealcamError('kem-key', `KEM key ${String(i)} is not the one that the claim names`);
    }
  }
}
