import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import type { Recipient } from '../../protocol/objects/claim.js';
import { accountId } from '../../protocol/objects/ids.js';
import { memberKind, memberKindV2, type Member, type MemberV2 } from '../../protocol/objects/member.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
import { ownerSecrets, type MasterKey } from '../../protocol/owner/secrets.js';
import type { RecipientKeys } from '../../protocol/seal/seal.js';

export interface OwnerKeys {
  readonly master: MasterKey;
  /** Signs claims, orders, revocations and sessions. */
  readonly signer: Signer;
  /** Opens what cameras sealed in epochs of version 1. */
  readonly recipient: RecipientKeys;
  /** 32 bytes: the seed of the X-Wing key, which opens what cameras seal in epochs of version 2. `OwnKem` has its public key. */
  readonly kemSeed: Uint8Array;
  readonly account: Uint8Array;
}

/** Derives an owner's keys with HKDF-SHA-256 (RFC 5869). */
export function ownerKeys(suite: CryptoSuite, master: MasterKey): OwnerKeys {
  const { signer, x25519Secret, kemSeed } = ownerSecrets(suite, master);
  return {
    master,
    signer,
    recipient: { secret: x25519Secret, publicKey: suite.x25519PublicKey(x25519Secret) },
    kemSeed,
    account: accountId(suite, signer.publicKey),
  };
}

/** Returns the public keys of this person, as a claim names them. */
export function recipientOf({ signer, recipient }: OwnerKeys): Recipient {
  return { x25519: recipient.publicKey, ed25519: signer.publicKey };
}

/** Returns what this person shows to join a household of version 1: both keys, signed. */
export function memberOf(suite: CryptoSuite, keys: OwnerKeys): Verified<Member> {
  return signObject(memberKind, suite, keys.signer, recipientOf(keys));
}

/** Returns what this person shows to join a household of version 2; `kem` is the hash of their KEM key. */
export function memberV2Of(suite: CryptoSuite, { signer }: OwnerKeys, kem: Uint8Array): Verified<MemberV2> {
  return signObject(memberKindV2, suite, signer, { version: 2, ed25519: signer.publicKey, kem });
}
