import { concat } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import { blake2b24 } from '../crypto/hashes.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { boxKey, secretbox } from '../crypto/tweetnacl.js';

/** Bytes that a sealed box is longer than its content: ephemeral key and Poly1305 tag. */
export const SEALED_BOX_OVERHEAD = 48;

/**
 * libsodium's `crypto_box_seal`: any libsodium opens it with `crypto_box_seal_open`.
 * The X25519 step is the suite's, so on a camera it is OpenSSL's; the bytes are the same.
 */
export function sealBox(suite: CryptoSuite, random: Random, recipient: Uint8Array, content: Uint8Array): Uint8Array {
  const ephemeral = random.bytes(32);
  const ephemeralPublic = suite.x25519PublicKey(ephemeral);
  const key = boxKey(suite.x25519(ephemeral, recipient));
  const nonce = blake2b24(concat(ephemeralPublic, recipient));
  return concat(ephemeralPublic, secretbox.seal(content, nonce, key));
}

/** Undefined if it was sealed to another key. */
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
