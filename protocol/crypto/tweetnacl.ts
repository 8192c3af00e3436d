import nacl from 'tweetnacl';
import { isZero } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { chachaOpen, chachaSeal } from './chacha.js';
import { hmacSha256, sha256 } from './hashes.js';
import type { CryptoSuite } from './suite.js';

function seedOnly(seed: Uint8Array): Uint8Array {
  // tweetnacl also accepts 64 bytes and trusts the public half in them, which leaks the scalar if it was altered.
  if (seed.length !== 32) throw new SealcamError('key-file-invalid', `a key of ${String(seed.length)} bytes, not 32`);
  return seed;
}

/** The suite of browsers. In Node it runs in tests, to be compared with node:crypto. */
export const tweetnaclSuite: CryptoSuite = {
  name: 'tweetnacl',
  sha256,
  hmacSha256,
  ed25519Signer(seed) {
    const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(seedOnly(seed));
    return { publicKey, sign: (message) => nacl.sign.detached(message, secretKey) };
  },
  ed25519VerifyLoose: (publicKey, message, signature) => nacl.sign.detached.verify(message, signature, publicKey),
  x25519PublicKey: (secret) => nacl.box.keyPair.fromSecretKey(seedOnly(secret)).publicKey,
  x25519(secret, publicKey) {
    const shared = nacl.scalarMult(secret, publicKey);
    if (isZero(shared)) throw new SealcamError('seal-refused', 'a low-order X25519 key');
    return shared;
  },
  chachaSeal,
  chachaOpen,
};

/**
 * XSalsa20-Poly1305, byte for byte libsodium's `crypto_secretbox_easy`: a 16-byte tag, then the ciphertext. Keys are
 * 32 bytes, nonces 24 bytes; a nonce must never be used twice with one key.
 */
export const secretbox = {
  seal: (plaintext: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array =>
    nacl.secretbox(plaintext, nonce, key),
  /** Returns undefined if the tag does not match. */
  open: (box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | undefined =>
    nacl.secretbox.open(box, nonce, key) ?? undefined,
};

// tweetnacl exports its building blocks without types.
interface LowLevel {
  crypto_core_hsalsa20(out: Uint8Array, input: Uint8Array, key: Uint8Array, constant: Uint8Array): number;
}
const lowlevel = (nacl as unknown as { readonly lowlevel: LowLevel }).lowlevel;
const SIGMA = new TextEncoder().encode('expand 32-byte k');

/** Returns HSalsa20 of a 32-byte X25519 shared secret: the key that NaCl's `crypto_box` derives from it. */
export function boxKey(shared: Uint8Array): Uint8Array {
  const out = new Uint8Array(32);
  lowlevel.crypto_core_hsalsa20(out, new Uint8Array(16), shared, SIGMA);
  return out;
}
