/**
 * The primitives that have two implementations: node:crypto on the camera and in the cloud, tweetnacl and
 * @noble/hashes in the browser. One contract suite runs on both, and they must agree on every vector.
 *
 * Nothing outside this folder calls `ed25519VerifyLoose` without the strict prechecks before it; see strict.ts.
 */
export interface CryptoSuite {
  readonly name: 'node' | 'tweetnacl';
  /** 32 bytes. */
  sha256(data: Uint8Array): Uint8Array;
  /** 32 bytes; RFC 2104. */
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** Signs with a 32-byte seed; RFC 8032 (pure Ed25519). */
  ed25519Signer(seed: Uint8Array): Signer;
  ed25519VerifyLoose(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** Public key of a 32-byte secret; RFC 7748. */
  x25519PublicKey(secret: Uint8Array): Uint8Array;
  /**
   * 32-byte shared secret; RFC 7748 §6.1.
   * @throws SealcamError `seal-refused` when it would be all zero (a low-order key)
   */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array;
}

/** Whoever can sign as one key, wherever that key lives: a seed in memory now, a secure element later. */
export interface Signer {
  /** 32 bytes, the `kid` of what it signs. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}
