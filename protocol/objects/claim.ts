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
  /** To whom pictures are sealed. */
  x25519: field(0, bytes(KEY_BYTES)),
  /** With which this member opens sessions with the cloud. */
  ed25519: field(1, bytes(KEY_BYTES)),
});
export type Recipient = TypeOf<typeof recipient>;

const codec = versioned(
  PROTOCOL_VERSION,
  struct({
    device: field(1, bytes(HASH_BYTES)),
    /** The camera's last epoch + 1. */
    epoch: field(2, epochNumber),
    account: field(3, bytes(ID_BYTES)),
    ownerKey: field(4, bytes(KEY_BYTES)),
    /** Members of the household, the owner first. */
    recipients: field(5, array(recipient, 1, LIMITS.recipientsMax)),
    /** Keys with which the cloud signs receipts: the current one and its successors. */
    receiptKeys: field(6, array(bytes(KEY_BYTES), 1, LIMITS.receiptKeysMax)),
    /** The last claim hash of the offer. */
    previous: field(7, nullable(bytes(HASH_BYTES))),
    /** The nonce of the offer. */
    nonce: field(8, bytes(ID_BYTES)),
    /** UTC, by the owner's device; for people to read, never decisive. */
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
  if (new Set(keys).size !== keys.length) refuse('a recipient twice');
  for (const { x25519, ed25519 } of claim.recipients) {
    if (!isAcceptablePoint(ed25519)) refuse('a recipient key of small order');
    if (!isContributory(suite, x25519)) refuse('a recipient key of low order');
  }
}

/** What the owner's app signs: this camera belongs to this account from this epoch on. */
export const claimKind: SignedKind<Claim> = {
  domain: 'sealcam/claim/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check(claim, kid, suite) {
    if (!equal(kid, claim.ownerKey)) throw new SealcamError('foreign', 'claim: not signed by its owner key');
    if (!equal(claim.account, accountId(suite, claim.ownerKey))) refuse('the account is not that of the owner key');
    if ((claim.epoch === 1) !== (claim.previous === null)) refuse('epoch and previous claim disagree');
    const receiptKeys = claim.receiptKeys.map(toHex);
    if (new Set(receiptKeys).size !== receiptKeys.length) refuse('a receipt key twice');
    checkRecipients(claim, suite);
  },
};

/**
 * HMAC-SHA-256 of the claim's Sig_structure with the secret of the claim code (32 bytes): the proof that whoever
 * claims has seen the label, which a cloud has not.
 */
export function claimMac(suite: CryptoSuite, secret: Uint8Array, claim: Verified<Claim>): Uint8Array {
  const { sigStructure } = parseSign1(claim.bytes, claimKind.domain, claimKind.maxBytes);
  return suite.hmacSha256(secret, sigStructure);
}

export function isClaimMac(
  suite: CryptoSuite,
  secret: Uint8Array,
  claim: Verified<Claim>,
  mac: Uint8Array | null,
): boolean {
  return mac !== null && equalSecret(claimMac(suite, secret, claim), mac);
}
