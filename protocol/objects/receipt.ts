import { equal, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import {
  type TypeOf,
  array,
  bytes,
  epochNumber,
  field,
  labelled,
  names,
  optional,
  struct,
  tuple,
  uint,
  versioned,
  versionTwo,
} from '../wire/codec.js';
import type { AnyClaim } from './claim.js';
import { HASH_BYTES } from './ids.js';
import {
  checkVersionOfEpoch,
  kindOfVersions,
  PROTOCOL_VERSION,
  type SignedKind,
  type Verified,
} from './signed-object.js';

/** First and last seq of records stored durably with their media, and the hash of the last one. */
const range = labelled(['from', 'to', 'hash'], tuple(uint(), uint(), bytes(HASH_BYTES)));
/** A record that will never be stored. A reject is final, so it is given only for what the device itself signed. */
const reject = labelled(
  ['seq', 'hash', 'code'],
  tuple(uint(), bytes(HASH_BYTES), names({ malformed: 0, equivocation: 1 })),
);

const pacingFields = {
  /** Window over which cameras spread their reconnects; it grows with the fleet. */
  windowMs: optional(0, uint(900_000)),
  /** Least time between two outbox records of one camera while it drains. */
  drainIntervalMs: optional(1, uint(900_000)),
  /** Orders the pacings of one connection, for some minutes; a camera does not hold it against its clock. */
  issuedAtMs: field(2, uint()),
};
const pacing = struct(pacingFields);
export type Pacing = TypeOf<typeof pacing>;

const pacingV2 = struct({
  ...pacingFields,
  /** Bytes a second that a camera may use for segments of clips; else half of its measured uplink. */
  clipBytesPerSecond: optional(3, uint()),
});

const fields = {
  device: field(1, bytes(HASH_BYTES)),
  epoch: field(2, epochNumber),
  claimHash: field(3, bytes(HASH_BYTES)),
  ranges: field(4, array(range, 0, LIMITS.receiptRangesMax)),
  rejects: optional(5, array(reject, 1, LIMITS.receiptRejectsMax)),
  pacing: optional(6, pacing),
};
const codec = versioned(PROTOCOL_VERSION, struct(fields));
export type Receipt = TypeOf<typeof codec>;

const codecV2 = versionTwo(struct({ ...fields, pacing: optional(6, pacingV2) }));
export type ReceiptV2 = TypeOf<typeof codecV2>;
export type AnyReceipt = Receipt | ReceiptV2;

/** The cloud's signed statement that records are stored. A camera deletes a record only on a receipt. */
export const receiptKind: SignedKind<Receipt> = {
  domain: 'sealcam/receipt/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check({ ranges }) {
    if (ranges.some(([from, to]) => from > to)) {
      throw new SealcamError('malformed', 'receipt: a range that ends before it starts');
    }
  },
};

/** The same for records of version 2. The bodies of a clip's segments are no part of it: media receipts are for those. */
export const receiptKindV2: SignedKind<ReceiptV2> = { ...receiptKind, codec: codecV2 };

/** A receipt of either version. Compare it with the version of its epoch, which {@link checkReceiptAgainstClaim} does. */
export const anyReceiptKind: SignedKind<AnyReceipt> = kindOfVersions(receiptKind, receiptKindV2);

/** Returns a receipt key's number for people to compare: its first 16 bytes as hex in groups of four. */
export function receiptKeyNumber(key: Uint8Array): string {
  const hex = toHex(key.subarray(0, 16));
  return hex.match(/.{4}/g)?.join(' ') ?? hex;
}

/** What a statement of the cloud names of the epoch that it is about. */
interface OfEpoch {
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly claimHash: Uint8Array;
}

/**
 * Checks that a receipt, or a media receipt, is for this claim and signed by a receipt key that the claim names.
 * @throws SealcamError `foreign` if not, `malformed` if it has not the version of the epoch
 */
export function checkReceiptAgainstClaim(receipt: Verified<OfEpoch>, claim: Verified<AnyClaim>): void {
  const { value } = receipt;
  const ours =
    equal(value.device, claim.value.device) &&
    value.epoch === claim.value.epoch &&
    equal(value.claimHash, claim.hash) &&
    claim.value.receiptKeys.some((key) => equal(key, receipt.kid));
  if (!ours) throw new SealcamError('foreign', 'receipt: not of this claim');
  checkVersionOfEpoch(value, claim.value);
}
