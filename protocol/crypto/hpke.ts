/**
 * HPKE (RFC 9180), mode base, single shot, in the one suite used here: KEM X-Wing 0x647a, KDF HKDF-SHA-256 0x0001, AEAD
 * ChaCha20-Poly1305 0x0003. `info` binds a ciphertext to its purpose and place.
 */
import { concat, utf8 } from '../../common/bytes.js';
import type { Random } from '../../common/random.js';
import { hkdfExpand } from './hkdf.js';
import type { CryptoSuite } from './suite.js';
import { encapsulate } from './xwing.js';

const VERSION = utf8('HPKE-v1');
/** 'HPKE' ‖ KEM ‖ KDF ‖ AEAD */
const SUITE_ID = concat(utf8('HPKE'), Uint8Array.of(0x64, 0x7a, 0, 1, 0, 3));
const MODE_BASE = Uint8Array.of(0);
const NONE = new Uint8Array(0);

export interface HpkeBox {
  /** The encapsulation. */
  readonly enc: Uint8Array;
  /** The ciphertext with its tag of 16 bytes. */
  readonly ct: Uint8Array;
}

/** Seals to a public key. @throws SealcamError `malformed` or `seal-refused` for a key that must not be used */
export function hpkeSeal(
  suite: CryptoSuite,
  random: Random,
  publicKey: Uint8Array,
  info: Uint8Array,
  plaintext: Uint8Array,
): HpkeBox {
  const { enc, shared } = encapsulate(suite, random, publicKey);
  const { key, nonce } = hpkeKey(suite, shared, info);
  return { enc, ct: suite.chachaSeal(key, nonce, plaintext) };
}

/** Opens a ciphertext with the decapsulated secret. Returns undefined if it was altered, or made for another key or info. */
export function hpkeOpen(
  suite: CryptoSuite,
  shared: Uint8Array,
  info: Uint8Array,
  ct: Uint8Array,
): Uint8Array | undefined {
  const { key, nonce } = hpkeKey(suite, shared, info);
  return suite.chachaOpen(key, nonce, ct);
}

/** The key schedule of RFC 9180 §5.1 without a PSK. */
export function hpkeKey(
  suite: CryptoSuite,
  shared: Uint8Array,
  info: Uint8Array,
): { readonly key: Uint8Array; readonly nonce: Uint8Array } {
  const extract = (salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array =>
    suite.hmacSha256(salt, concat(VERSION, SUITE_ID, utf8(label), ikm));
  const context = concat(MODE_BASE, extract(NONE, 'psk_id_hash', NONE), extract(NONE, 'info_hash', info));
  const secret = extract(shared, 'secret', NONE);
  const expand = (label: string, length: number): Uint8Array =>
    hkdfExpand(suite, secret, concat(Uint8Array.of(0, length), VERSION, SUITE_ID, utf8(label), context), length);
  return { key: expand('key', 32), nonce: expand('base_nonce', 12) };
}
