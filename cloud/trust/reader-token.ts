import { concat, utf8 } from '../../common/bytes.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';

/**
 * Returns what is kept of a reader once an epoch and its claim are erased: a hash over the claim and the reader's key. It
 * lets this reader go on reading the owner's statements of that claim, and fits no other claim in whatever row it lies.
 */
export function readerToken(suite: CryptoSuite, claimHash: Uint8Array, key: Uint8Array): Uint8Array {
  return suite.sha256(concat(utf8('sealcam-cloud/deletion-reader'), claimHash, key));
}
