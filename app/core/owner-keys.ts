import { hkdfSha256 } from '../../protocol/crypto/hashes.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import type { Recipient } from '../../protocol/objects/claim.js';
import { accountId } from '../../protocol/objects/ids.js';
import { memberKind, memberKindV2, type Member, type MemberV2 } from '../../protocol/objects/member.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
import type { RecipientKeys } from '../../protocol/seal/seal.js';

/** 32 random bytes. All keys of an owner are derived from it, and the recovery file holds no other key. */
export type MasterKey = Uint8Array;

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
  const signer = suite.ed25519Signer(hkdfSha256(master, 'sealcam/owner/ed25519'));
  const secret = hkdfSha256(master, 'sealcam/owner/x25519');
  return {
    master,
    signer,
    recipient: { secret, publicKey: suite.x25519PublicKey(secret) },
    kemSeed: hkdfSha256(master, 'sealcam/owner/xwing'),
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
