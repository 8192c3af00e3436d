import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';

/** ML-KEM-768 (FIPS 203) as X-Wing uses it: a public key has 1,184 bytes, a ciphertext 1,088, a shared secret 32. */
export const mlKem = {
  /** Makes a key pair from the 64 bytes d ‖ z. */
  keys: (seed: Uint8Array): { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array } =>
    ml_kem768.keygen(seed),
  /** `message` is 32 random bytes. */
  encapsulate: (
    publicKey: Uint8Array,
    message: Uint8Array,
  ): { readonly cipherText: Uint8Array; readonly sharedSecret: Uint8Array } =>
    ml_kem768.encapsulate(publicKey, message),
  /** An altered ciphertext gives another secret, never an error (implicit rejection). */
  decapsulate: (cipherText: Uint8Array, secretKey: Uint8Array): Uint8Array =>
    ml_kem768.decapsulate(cipherText, secretKey),
};
