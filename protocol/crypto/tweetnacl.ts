import nacl from 'tweetnacl';
import { isZero } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { hmacSha256, sha256 } from './hashes.js';
import type { CryptoSuite } from './suite.js';

function seedOnly(seed: Uint8Array): Uint8Array {
  // tweetnacl would take 64 bytes and believe the public half in them, which leaks the scalar if it was altered.
  if (seed.length !== 32) throw new SealcamError('key-file-invalid', `a key of ${String(seed.length)} bytes, not 32`);
  return seed;
}

/** Everything in a browser, and the check beside node:crypto in Node. */
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
};

/** XSalsa20-Poly1305 as in libsodium's `crypto_secretbox_easy`: 16-byte tag first. 32-byte key, 24-byte nonce. */
export const secretbox = {
  seal: (plaintext: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array =>
    nacl.secretbox(plaintext, nonce, key),
  /** Undefined if the tag does not match. */
  open: (box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | undefined =>
    nacl.secretbox.open(box, nonce, key) ?? undefined,
};

// tweetnacl exports its building blocks without types.
interface LowLevel {
  crypto_core_hsalsa20(out: Uint8Array, input: Uint8Array, key: Uint8Array, constant: Uint8Array): number;
}
const lowlevel = (nacl as unknown as { readonly lowlevel: LowLevel }).lowlevel;
const SIGMA = new TextEncoder().encode('expand 32-byte k');

/** HSalsa20 of an X25519 shared secret: the key of NaCl's `crypto_box`, wherever the secret was computed. */
export function boxKey(shared: Uint8Array): Uint8Array {
  const out = new Uint8Array(32);
  lowlevel.crypto_core_hsalsa20(out, new Uint8Array(16), shared, SIGMA);
  return out;
}
