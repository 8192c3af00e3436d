/** The keys that follow from an owner's master key, which is all that a recovery file must hold of them. */
import { hkdf } from '../crypto/hkdf.js';
import type { CryptoSuite, Signer } from '../crypto/suite.js';

/** 32 random bytes. */
export type MasterKey = Uint8Array;

export interface OwnerSecrets {
  /** Signs claims, orders, revocations and sessions. */
  readonly signer: Signer;
  /** X25519, opens what cameras sealed under claims of version 1. */
  readonly x25519Secret: Uint8Array;
  /** Seed of the X-Wing key that opens what they seal under claims of version 2. */
  readonly kemSeed: Uint8Array;
}

/** Derives an owner's keys with HKDF-SHA-256 (RFC 5869). */
export function ownerSecrets(suite: CryptoSuite, master: MasterKey): OwnerSecrets {
  return {
    signer: suite.ed25519Signer(hkdf(suite, master, 'sealcam/owner/ed25519')),
    x25519Secret: hkdf(suite, master, 'sealcam/owner/x25519'),
    kemSeed: hkdf(suite, master, 'sealcam/owner/xwing'),
  };
}
