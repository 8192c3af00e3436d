import { concat, utf8 } from '../../common/bytes.js';
import type { CryptoSuite } from './suite.js';

const NO_SALT = new Uint8Array(32);

/** HKDF-Expand of RFC 5869 §2.3 for up to 32 bytes, which are one block. */
export function hkdfExpand(suite: CryptoSuite, prk: Uint8Array, info: Uint8Array, length = 32): Uint8Array {
  return suite.hmacSha256(prk, concat(info, Uint8Array.of(1))).slice(0, length);
}

/**
 * HKDF-SHA-256 without salt, 32 bytes; RFC 5869. `label` and `context` together are the info: they separate the keys derived
 * from one secret.
 */
export function hkdf(
  suite: CryptoSuite,
  key: Uint8Array,
  label: string,
  context: Uint8Array = new Uint8Array(0),
): Uint8Array {
  return hkdfExpand(suite, suite.hmacSha256(NO_SALT, key), concat(utf8(label), context));
}
