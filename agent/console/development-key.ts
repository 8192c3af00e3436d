import { utf8 } from '../../common/bytes.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';

/**
 * A QA key that everybody has: it unlocks the console of a mock or a replayed camera, so that a laptop needs none of the
 * maker's. A camera with a real driver never trusts it.
 */
export function developmentQaSigner(suite: CryptoSuite): Signer {
  return suite.ed25519Signer(suite.sha256(utf8('sealcam development QA key, known to all')));
}
