import { hkdfSha256 } from '../../protocol/crypto/hashes.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { accountId } from '../../protocol/objects/ids.js';
import type { RecipientKeys } from '../../protocol/seal/seal.js';

/** 32 random bytes. Both keys of an owner are derived from it, and the recovery file holds nothing else. */
export type MasterKey = Uint8Array;

export interface OwnerKeys {
  readonly master: MasterKey;
  /** Signs claims, orders, revocations and sessions. */
  readonly signer: Signer;
  /** Opens what cameras sealed. */
  readonly recipient: RecipientKeys;
  readonly account: Uint8Array;
}

/** Derives an owner's keys with HKDF-SHA-256 (RFC 5869). */
export function ownerKeys(suite: CryptoSuite, master: MasterKey): OwnerKeys {
  const signer = suite.ed25519Signer(hkdfSha256(master, 'sealcam/owner/ed25519'));
  const secret = hkdfSha256(master, 'sealcam/owner/x25519');
  return {
    master,
    signer,
    recipient: { secret, publicKey: suite.x25519PublicKey(secret) },
    account: accountId(suite, signer.publicKey),
  };
}
