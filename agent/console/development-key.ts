import { utf8 } from '../../common/bytes.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';

/**
 * Returns a QA key that is public: it unlocks the console of a mock or replayed camera, so that a laptop needs no key of
 * the maker. A camera with a real driver never trusts it.
 */
export function developmentQaSigner(suite: CryptoSuite): Signer {
  return suite.ed25519Signer(suite.sha256(utf8('sealcam development QA key, known to all')));
}
