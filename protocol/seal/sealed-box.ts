import { concat } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import { blake2b24 } from '../crypto/hashes.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { boxKey, secretbox } from '../crypto/tweetnacl.js';

/** Bytes that a sealed box adds to its content: ephemeral key (32) and Poly1305 tag (16). */
export const SEALED_BOX_OVERHEAD = 48;

/**
 * Encrypts content to an X25519 public key, byte for byte libsodium's `crypto_box_seal`: any libsodium opens it with
 * `crypto_box_seal_open`. X25519 itself is the suite's, so that a camera uses OpenSSL's.
 *
 * @throws SealcamError `seal-refused` for a low-order key
 */
export function sealBox(suite: CryptoSuite, random: Random, recipient: Uint8Array, content: Uint8Array): Uint8Array {
  const ephemeral = random.bytes(32);
  const ephemeralPublic = suite.x25519PublicKey(ephemeral);
  const key = boxKey(suite.x25519(ephemeral, recipient));
  const nonce = blake2b24(concat(ephemeralPublic, recipient));
  return concat(ephemeralPublic, secretbox.seal(content, nonce, key));
}

/** Opens a sealed box. Returns undefined if it was altered or sealed to another key. */
export function openBox(
  suite: CryptoSuite,
  secret: Uint8Array,
  ownPublic: Uint8Array,
  box: Uint8Array,
): Uint8Array | undefined {
  if (box.length < SEALED_BOX_OVERHEAD) return undefined;
  const ephemeralPublic = box.slice(0, 32);
  let shared: Uint8Array;
  try {
    shared = suite.x25519(secret, ephemeralPublic);
  } catch (error) {
    if (error instanceof SealcamError) return undefined;
    throw error;
  }
  return secretbox.open(box.subarray(32), blake2b24(concat(ephemeralPublic, ownPublic)), boxKey(shared));
}
