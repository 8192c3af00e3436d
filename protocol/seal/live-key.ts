import { concat, utf8 } from '../../common/bytes.js';
import { hkdfExpand } from '../crypto/hkdf.js';
import type { CryptoSuite } from '../crypto/suite.js';

/** What the key of a look is bound to. */
export interface LiveKeyContext {
  /** Hash of the signed order that started the session. */
  readonly orderHash: Uint8Array;
  readonly claimHash: Uint8Array;
  /** Hash of the camera's record that holds the order: who did not verify that record has no key. */
  readonly answerHash: Uint8Array;
}

/**
 * Returns the key of a look, 32 bytes, from the shared secret of X-Wing (32 bytes): HKDF-SHA-256 (RFC 5869), salted with
 * order and claim, for the answering record alone.
 */
export function liveKey(suite: CryptoSuite, secret: Uint8Array, context: LiveKeyContext): Uint8Array {
  const { orderHash, claimHash, answerHash } = context;
  const prk = suite.hmacSha256(concat(orderHash, claimHash), secret);
  return hkdfExpand(suite, prk, concat(utf8('sealcam/live/v2'), answerHash));
}
