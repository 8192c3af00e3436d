import { equal, equalSecret, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { isAcceptablePoint } from '../crypto/strict.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { type TypeOf, array, bytes, epochNumber, field, nullable, struct, uint, versioned } from '../wire/codec.js';
import { parseSign1 } from '../wire/cose.js';
import { accountId, HASH_BYTES, ID_BYTES, KEY_BYTES } from './ids.js';
import { isContributory } from './recipient-keys.js';
import { PROTOCOL_VERSION, type SignedKind, type Verified } from './signed-object.js';

const recipient = struct({
  /** Pictures are sealed to this key. */
  x25519: field(0, bytes(KEY_BYTES)),
  /** Signs this member's sessions with the cloud. */
  ed25519: field(1, bytes(KEY_BYTES)),
});
export type Recipient = TypeOf<typeof recipient>;

const codec = versioned(
  PROTOCOL_VERSION,
  struct({
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
  }),
);
export type Claim = TypeOf<typeof codec>;

function refuse(why: string): never {
  throw new SealcamError('malformed', `claim: ${why}`);
}

function checkRecipients(claim: Claim, suite: CryptoSuite): void {
  const owner = claim.recipients[0];
  if (owner === undefined || !equal(owner.ed25519, claim.ownerKey)) refuse('the first recipient is not the owner');
  const keys = claim.recipients.flatMap(({ x25519, ed25519 }) => [`x${toHex(x25519)}`, `e${toHex(ed25519)}`]);
  if (new Set(keys).size !== keys.length) refuse('a recipient is listed twice');
  for (const { x25519, ed25519 } of claim.recipients) {
    if (!isAcceptablePoint(ed25519)) refuse('a recipient key of small order');
    if (!isContributory(suite, x25519)) refuse('a recipient key of low order');
  }
}

/** The owner's signed statement that a camera belongs to an account for an epoch. The kid is the owner key. */
export const claimKind: SignedKind<Claim> = {
  domain: 'sealcam/claim/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check(claim, kid, suite) {
    if (!equal(kid, claim.ownerKey)) throw new SealcamError('foreign', 'claim: not signed by its owner key');
    if (!equal(claim.account, accountId(suite, claim.ownerKey))) refuse('the account is not that of the owner key');
    if ((claim.epoch === 1) !== (claim.previous === null)) refuse('only epoch 1 has no previous claim');
    const receiptKeys = claim.receiptKeys.map(toHex);
    if (new Set(receiptKeys).size !== receiptKeys.length) refuse('a receipt key is listed twice');
    checkRecipients(claim, suite);
  },
};

/**
 * Returns HMAC-SHA-256 (32 bytes) of the claim's Sig_structure, keyed with the 16-byte secret of the claim code. It
 * proves to the camera that the signer has seen its label, which the cloud has not.
 */
export function claimMac(suite: CryptoSuite, secret: Uint8Array, claim: Verified<Claim>): Uint8Array {
  const { sigStructure } = parseSign1(claim.bytes, claimKind.domain, claimKind.maxBytes);
  return suite.hmacSha256(secret, sigStructure);
}

/** Returns whether `mac` is the claim's MAC, in constant time. */
export function isClaimMac(
  suite: CryptoSuite,
  secret: Uint8Array,
  claim: Verified<Claim>,
  mac: Uint8Array | null,
): boolean {
  return mac !== null && equalSecret(claimMac(suite, secret, claim), mac);
}
