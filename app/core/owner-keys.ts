import { hkdfSha256 } from '../../protocol/crypto/hashes.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { accountId } from '../../protocol/objects/ids.js';
import type { RecipientKeys } from '../../protocol/seal/seal.js';

/** 32 random bytes from which both keys of an owner come; the recovery file holds nothing else. */
export type MasterKey = Uint8Array;

export interface OwnerKeys {
  readonly master: MasterKey;
  /** Signs claims and sessions. */
  readonly signer: Signer;
  /** Opens what cameras sealed. */
  readonly recipient: RecipientKeys;
  readonly account: Uint8Array;
}

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
