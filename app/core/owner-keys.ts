import { hkdfSha256 } from '../../protocol/crypto/hashes.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import type { Recipient } from '../../protocol/objects/claim.js';
import { accountId } from '../../protocol/objects/ids.js';
import { memberKind, type Member } from '../../protocol/objects/member.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
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

/** Returns the public keys of this person, as a claim names them. */
export function recipientOf({ signer, recipient }: OwnerKeys): Recipient {
  return { x25519: recipient.publicKey, ed25519: signer.publicKey };
}

/** Returns what this person shows to join a household: both keys, signed. */
export function memberOf(suite: CryptoSuite, keys: OwnerKeys): Verified<Member> {
  return signObject(memberKind, suite, keys.signer, recipientOf(keys));
}
