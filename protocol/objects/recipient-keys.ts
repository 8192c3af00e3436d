import type { CryptoSuite } from '../crypto/suite.js';

/** Any scalar finds a low-order key: clamping makes it a multiple of the cofactor, so the result is all zero. */
const PROBE = new Uint8Array(32).fill(0x55);

/** Whether X25519 with this public key (32 bytes) gives a shared secret at all, and not 32 zero bytes (RFC 7748 §6.1). */
export function isContributory(suite: CryptoSuite, x25519: Uint8Array): boolean {
  try {
    suite.x25519(PROBE, x25519);
    return true;
  } catch {
    return false;
  }
}
