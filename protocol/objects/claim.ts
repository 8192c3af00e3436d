import { equal, equalSecret, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { isAcceptablePoint } from '../crypto/strict.js';
import type { CryptoSuite } from '../crypto/suite.js';
import {
  type TypeOf,
  array,
  bytes,
  epochNumber,
  field,
  isVersionTwo,
  names,
  nullable,
  struct,
  uint,
  versioned,
  versionTwo,
} from '../wire/codec.js';
import { parseSign1 } from '../wire/cose.js';
import { accountId, HASH_BYTES, ID_BYTES, KEY_BYTES } from './ids.js';
import { isContributory } from './recipient-keys.js';
import { kindOfVersions, PROTOCOL_VERSION, versionOf, type SignedKind, type Verified } from './signed-object.js';

const recipient = struct({
  /** Pictures are sealed to this key. */
  x25519: field(0, bytes(KEY_BYTES)),
  /** Signs this member's sessions with the cloud. */
  ed25519: field(1, bytes(KEY_BYTES)),
});
export type Recipient = TypeOf<typeof recipient>;

/** `owner`: one of the owner's browsers, which may give orders. `member`: may see and look. */
const ROLES = { owner: 0, member: 1 } as const;

/** Key 0, the X25519 key of version 1, is not used again. */
const recipientV2 = struct({
  /** Signs this browser's sessions, looks and, as an owner, orders. */
  ed25519: field(1, bytes(KEY_BYTES)),
  /** SHA-256 of its X-Wing public key, which travels beside the claim. Period keys are wrapped to it. */
  kem: field(2, bytes(HASH_BYTES)),
  role: field(3, names(ROLES)),
});

const fields = {
  device: field(1, bytes(HASH_BYTES)),
  /** The camera's last epoch plus 1. */
  epoch: field(2, epochNumber),
  account: field(3, bytes(ID_BYTES)),
  ownerKey: field(4, bytes(KEY_BYTES)),
  /** Members of the household, the owner first. */
  recipients: field(5, array(recipient, 1, LIMITS.recipientsMax)),
  /** Keys that sign the cloud's receipts: the current one and its successors. */
  receiptKeys: field(6, array(bytes(KEY_BYTES), 1, LIMITS.receiptKeysMax)),
  /** The offer's last claim hash; null for epoch 1. */
  previous: field(7, nullable(bytes(HASH_BYTES))),
  /** The nonce of the offer. */
  nonce: field(8, bytes(ID_BYTES)),
  /** UTC by the owner's device, for people to read. Nothing is decided by it. */
  issuedAtMs: field(9, uint()),
};
const codec = versioned(PROTOCOL_VERSION, struct(fields));
export type Claim = TypeOf<typeof codec>;

const codecV2 = versionTwo(struct({ ...fields, recipients: field(5, array(recipientV2, 1, LIMITS.recipientsMax)) }));
/** A claim whose epoch is of version 2: period keys, orders by several browsers, clips and looks. */
export type ClaimV2 = TypeOf<typeof codecV2>;
export type AnyClaim = Claim | ClaimV2;

function refuse(why: string): never {
  throw new SealcamError('malformed', `claim: ${why}`);
}

/** Rules of both versions. @throws SealcamError `foreign`, `malformed` */
function checkClaim(claim: AnyClaim, kid: Uint8Array, suite: CryptoSuite): void {
  if (!equal(kid, claim.ownerKey)) throw new SealcamError('foreign', 'claim: not signed by its owner key');
  if (!equal(claim.account, accountId(suite, claim.ownerKey))) refuse('the account is not that of the owner key');
  if ((claim.epoch === 1) !== (claim.previous === null)) refuse('only epoch 1 has no previous claim');
  const receiptKeys = claim.receiptKeys.map(toHex);
  if (new Set(receiptKeys).size !== receiptKeys.length) refuse('a receipt key is listed twice');
  const owner = claim.recipients[0];
  if (owner === undefined || !equal(owner.ed25519, claim.ownerKey)) refuse('the first recipient is not the owner');
}

/** Checks that no recipient has a key of another; `sealedTo` are the keys, or their hashes, that pictures are sealed to. */
function checkKeys(recipients: AnyClaim['recipients'], sealedTo: readonly Uint8Array[]): void {
  for (const keys of [sealedTo, recipients.map(({ ed25519 }) => ed25519)]) {
    if (new Set(keys.map(toHex)).size !== keys.length) refuse('a recipient is listed twice');
  }
  if (!recipients.every(({ ed25519 }) => isAcceptablePoint(ed25519))) refuse('a recipient key of small order');
}

/** The owner's signed statement that a camera belongs to an account for an epoch. The kid is the owner key. */
export const claimKind: SignedKind<Claim> = {
  domain: 'sealcam/claim/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check(claim, kid, suite) {
    checkClaim(claim, kid, suite);
    const sealedTo = claim.recipients.map(({ x25519 }) => x25519);
    checkKeys(claim.recipients, sealedTo);
    if (!sealedTo.every((key) => isContributory(suite, key))) refuse('a recipient key of low order');
  },
};

/** The same in version 2. The kid is the owner's root key alone, whatever roles the recipients have. */
export const claimKindV2: SignedKind<ClaimV2> = {
  ...claimKind,
  codec: codecV2,
  check(claim, kid, suite) {
    checkClaim(claim, kid, suite);
    const sealedTo = claim.recipients.map(({ kem }) => kem);
    checkKeys(claim.recipients, sealedTo);
    if (claim.recipients[0]?.role !== 'owner') refuse('the first recipient has not the role of an owner');
  },
};

/** A claim of either version, which its epoch then has. */
export const anyClaimKind: SignedKind<AnyClaim> = kindOfVersions(claimKind, claimKindV2);

/** Whether a key may give orders under a claim: in version 1 the owner key, in version 2 every recipient with role owner. */
export function mayOrder(claim: AnyClaim, kid: Uint8Array): boolean {
  if (!isVersionTwo(claim)) return equal(claim.ownerKey, kid);
  return claim.recipients.some(({ ed25519, role }) => role === 'owner' && equal(ed25519, kid));
}

/**
 * Checks that a claim of the same owner does not go back from version 2: nothing older would open what it seals.
 * @throws SealcamError `claim-downgrade`
 */
export function checkClaimSuccession(before: AnyClaim, next: AnyClaim): void {
  if (equal(before.ownerKey, next.ownerKey) && versionOf(next) < versionOf(before)) {
    throw new SealcamError('claim-downgrade', 'a claim of version 1 after one of version 2');
  }
}

/**
 * Returns HMAC-SHA-256 (32 bytes) of the claim's Sig_structure, keyed with the 16-byte secret of the claim code. It
 * proves to the camera that the signer has seen its label, which the cloud has not.
 */
export function claimMac(suite: CryptoSuite, secret: Uint8Array, claim: Verified<AnyClaim>): Uint8Array {
  const { sigStructure } = parseSign1(claim.bytes, claimKind.domain, claimKind.maxBytes);
  return suite.hmacSha256(secret, sigStructure);
}

/** Returns whether `mac` is the claim's MAC, in constant time. */
export function isClaimMac(
  suite: CryptoSuite,
  secret: Uint8Array,
  claim: Verified<AnyClaim>,
  mac: Uint8Array | null,
): boolean {
  return mac !== null && equalSecret(claimMac(suite, secret, claim), mac);
}
