import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import type { Recipient } from '../../protocol/objects/claim.js';
import { accountId } from '../../protocol/objects/ids.js';
import { memberKind, type Member } from '../../protocol/objects/member.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
import { ownerSecrets, type MasterKey } from '../../protocol/owner/secrets.js';
import type { RecipientKeys } from '../../protocol/seal/seal.js';

export interface OwnerKeys {
  readonly master: MasterKey;
  /** Signs claims, orders, revocations and sessions. */
  readonly signer: Signer;
  /** Opens what cameras sealed under claims of version 1. */
  readonly recipient: RecipientKeys;
  /** Seed of the X-Wing key that opens what they seal under claims of version 2. */
  readonly xwingSeed: Uint8Array;
  readonly account: Uint8Array;
}

/** Derives an owner's keys with HKDF-SHA-256 (RFC 5869). */
export function ownerKeys(suite: CryptoSuite, master: MasterKey): OwnerKeys {
  const { signer, x25519Secret, xwingSeed } = ownerSecrets(suite, master);
  return {
    master,
    signer,
    recipient: { secret: x25519Secret, publicKey: suite.x25519PublicKey(x25519Secret) },
    xwingSeed,
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
