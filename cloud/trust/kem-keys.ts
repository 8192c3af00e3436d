import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import { checkKemKeys } from '../../protocol/objects/kem-keys.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';

/**
 * Checks the KEM keys that came beside a claim of either version: one of version 1 has none.
 * @throws SealcamError `kem-key`
 */
export function checkKemKeysBeside(suite: CryptoSuite, claim: AnyClaim, keys: readonly Uint8Array[]): void {
  if (isVersionTwo(claim)) checkKemKeys(suite, claim, keys);
  else if (keys.length > 0) throw new SealcamError('kem-key', 'KEM keys beside a claim of version 1');
}
