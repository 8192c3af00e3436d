/**
 * The primitives that have two implementations: node:crypto on the camera and in the cloud, tweetnacl, @noble/hashes and
 * @noble/ciphers in the browser. One contract suite runs on both, and they must agree on every vector.
 */
export interface CryptoSuite {
  readonly name: 'node' | 'tweetnacl';
  /** SHA-256, 32 bytes; FIPS 180-4. */
  sha256(data: Uint8Array): Uint8Array;
  /** HMAC-SHA-256, 32 bytes; RFC 2104. */
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /**
   * Makes a signer from a 32-byte seed; RFC 8032 (pure Ed25519).
   * @throws SealcamError `key-file-invalid` for a seed of another length
   */
  ed25519Signer(seed: Uint8Array): Signer;
  /**
   * Verifies an Ed25519 signature as the library does, which differs between libraries.
   * Call `verifyStrict` instead: nothing outside this folder may call this one.
   */
  ed25519VerifyLoose(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /**
   * Returns the 32-byte public key of a 32-byte secret; RFC 7748.
   * @throws SealcamError `key-file-invalid` for a secret of another length
   */
  x25519PublicKey(secret: Uint8Array): Uint8Array;
  /**
   * Returns the 32-byte shared secret; RFC 7748 §6.1.
   * @throws SealcamError `seal-refused` if it is all zero, which a low-order key causes
   */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array;
  /**
   * Encrypts with ChaCha20-Poly1305 (RFC 8439 §2.8): the ciphertext, then a tag of 16 bytes. The key has 32 bytes, the nonce
   * 12; a nonce must never be used twice with one key. The tag does not commit to the key.
   */
  chachaSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad?: Uint8Array): Uint8Array;
  /** Decrypts what `chachaSeal` makes. Returns undefined if it was altered, or is shorter than a tag. */
  chachaOpen(key: Uint8Array, nonce: Uint8Array, box: Uint8Array, aad?: Uint8Array): Uint8Array | undefined;
}

/** Decrypts as `chachaOpen` does, in its own time: WebCrypto. */
export type ChachaOpenLater = (key: Uint8Array, nonce: Uint8Array, box: Uint8Array) => Promise<Uint8Array | undefined>;

/** Signs as one key, wherever the key is: a seed in memory now, a secure element later. */
export interface Signer {
  /** 32 bytes; the `kid` of everything it signs. */
  readonly publicKey: Uint8Array;
  /** Returns a 64-byte signature. */
  sign(message: Uint8Array): Uint8Array;
}
