import { chacha20poly1305 } from '@noble/ciphers/chacha.js';

/** ChaCha20-Poly1305 of browsers; see {@link CryptoSuite.chachaSeal}. */
export function chachaSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad?: Uint8Array): Uint8Array {
  return chacha20poly1305(key, nonce, aad).encrypt(plaintext);
}

/** Reverses {@link chachaSeal}. Returns undefined if the tag does not match. */
export function chachaOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  box: Uint8Array,
  aad?: Uint8Array,
): Uint8Array | undefined {
  const cipher = chacha20poly1305(key, nonce, aad);
  try {
    return cipher.decrypt(box);
  } catch {
    return undefined;
  }
}
