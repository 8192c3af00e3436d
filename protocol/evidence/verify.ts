/** Checks an evidence file by itself: with no other key, no cloud and no clock. */
import { equal, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { anyClaimKind, type AnyClaim } from '../objects/claim.js';
import { mediaReceiptKind, type MediaReceipt } from '../objects/media-receipt.js';
import { anyReceiptKind, checkReceiptAgainstClaim, type AnyReceipt } from '../objects/receipt.js';
import { anyRecordKind, type AnyRecord } from '../objects/record.js';
import { openSigned, versionOf, type Verified } from '../objects/signed-object.js';
import { checkBinding } from '../verify/binding.js';
import { eventOf } from './event.js';
import { decodeEvidence, refuse, type EvidenceFile } from './evidence-file.js';
import { openRecordInSteps, type EvidenceClipPart, type EvidencePicture } from './open-record.js';
import { inOneGo, StepCount, type EvidenceSteps } from './steps.js';

/** What a file holds, all of it verified. */
export interface Evidence {
  readonly claim: Verified<AnyClaim>;
  readonly accept: Verified<AnyRecord>;
  readonly eventId: Uint8Array;
  /** From the event's first record to its last, without a hole; those in between may tell of something else. */
  readonly records: readonly Verified<AnyRecord>[];
  readonly after: Verified<AnyRecord> | null;
  readonly pictures: readonly EvidencePicture[];
  readonly clipParts: readonly EvidenceClipPart[];
  /** Objects and segments that the event's records name and the file does not hold. */
  readonly absent: number;
  readonly receipts: readonly Verified<AnyReceipt>[];
  readonly mediaReceipts: readonly Verified<MediaReceipt>[];
}

/**
 * Verifies an evidence file: the claim by its owner's signature, the records by their camera's (whose id follows from its key), by
 * their claim and as an unbroken chain; every object by length and hashes, by its key's commitment, and by opening it.
 *
 * @throws SealcamError `malformed`, `bad-signature`, `foreign`, `seal-refused`, `unsupported`: the file is refused whole
 */
export function verifyEvidence(suite: CryptoSuite, untrusted: Uint8Array): Evidence {
  return inOneGo(verifyEvidenceInSteps(suite, untrusted));
}

/** The same in steps. Nothing of the file is given out before all of it is verified. */
export function* verifyEvidenceInSteps(
  suite: CryptoSuite,
  untrusted: Uint8Array,
  count = new StepCount(untrusted.length),
): EvidenceSteps<Evidence> {
  const file = decodeEvidence(untrusted);
  const claim = openSigned(anyClaimKind, suite, file.claim);
  const accept = recordOf(suite, claim, file.accept);
  if (accept.value.kind !== 'accept') refuse('the camera did not accept the claim');
  const records: Verified<AnyRecord>[] = [];
  for (const { record } of file.records) {
    records.push(recordOf(suite, claim, record));
    yield count.add(record.length);
  }
  const after = file.after === null ? null : recordOf(suite, claim, file.after);
  const eventId = checkEvent(records, after);
  checkChain(accept, records, after);

  const pictures: EvidencePicture[] = [];
  const clipParts: EvidenceClipPart[] = [];
  let absent = 0;
  for (const [i, part] of file.records.entries()) {
    const place = { claim: claim.value, eventId, record: records[i] ?? refuse('a record is missing') };
    for (const opened of openRecordInSteps(suite, place, part)) {
      if (opened.type === 'absent') absent += opened.count;
      else {
        if (opened.type === 'picture') pictures.push(opened.picture);
        else clipParts.push(opened.part);
        yield count.add(opened.length);
      }
    }
  }
  const receipts = yield* receiptsOf(suite, { claim, records, after }, file, count);
  return { claim, accept, eventId, records, after, pictures, clipParts, absent, ...receipts };
}

function recordOf(suite: CryptoSuite, claim: Verified<AnyClaim>, bytes: Uint8Array): Verified<AnyRecord> {
  const record = openSigned(anyRecordKind, suite, bytes);
  const { device, account, epoch } = claim.value;
  const version = versionOf(claim.value);
  const row = { device, account, epoch, claimHash: claim.hash, version, state: 'open', closedAtSeq: null } as const;
  const binding = checkBinding(record.value, row);
  if (binding === 'bound') return record;
  throw new SealcamError(
    binding === 'foreign' ? 'foreign' : 'malformed',
    `evidence: record ${String(record.value.seq)} is not of this claim`,
  );
}

/** Checks that the first and the last record tell of one event, and the one after them does not; returns its id. */
function checkEvent(records: readonly Verified<AnyRecord>[], after: Verified<AnyRecord> | null): Uint8Array {
  const [first, last] = [records[0], records.at(-1)];
  const eventId = first && eventOf(first.value);
  if (eventId === undefined) return refuse('its first record tells of no event');
  const isOf = (record: Verified<AnyRecord> | null | undefined): boolean => {
    const own = record ? eventOf(record.value) : undefined;
    return own !== undefined && equal(own, eventId);
  };
  if (!isOf(last)) refuse('its last record tells of another event');
  if (isOf(after)) refuse('the record after the last one tells of the event too');
  return eventId;
}

/** Checks that each record names the one before it. The hash of the one before the first stands in the first. */
function checkChain(
  accept: Verified<AnyRecord>,
  records: readonly Verified<AnyRecord>[],
  after: Verified<AnyRecord> | null,
): void {
  let before = records[0]?.value.seq === 1 ? accept : undefined;
  for (const record of after === null ? records : [...records, after]) {
    const { seq, prev } = record.value;
    if (before !== undefined) {
      if (seq !== before.value.seq + 1) refuse(`record ${String(seq)} does not follow ${String(before.value.seq)}`);
      if (prev === null || !equal(prev, before.hash)) refuse(`record ${String(seq)} names another one before it`);
    }
    before = record;
  }
}

/** Checks the cloud's receipts: of this claim, and for records or segments of this file. */
function* receiptsOf(
  suite: CryptoSuite,
  { claim, records, after }: Pick<Evidence, 'claim' | 'records' | 'after'>,
  file: EvidenceFile,
  count: StepCount,
): EvidenceSteps<Pick<Evidence, 'receipts' | 'mediaReceipts'>> {
  const known = after === null ? records : [...records, after];
  const hashes = new Map(known.map(({ value, hash }) => [value.seq, hash]));
  const [first, last] = [records[0]?.value.seq ?? 0, records.at(-1)?.value.seq ?? 0];
  const receipts: Verified<AnyReceipt>[] = [];
  for (const bytes of file.receipts) {
    const receipt = openSigned(anyReceiptKind, suite, bytes);
    checkReceiptAgainstClaim(receipt, claim);
    const own = receipt.value.ranges.filter(([from, to]) => from <= last && to >= first);
    if (own.length === 0) refuse('a receipt for other records');
    for (const [, to, hash] of own) {
      if (!equal(hashes.get(to) ?? hash, hash)) refuse(`a receipt for another record ${String(to)}`);
    }
    receipts.push(receipt);
    yield count.add(bytes.length);
  }
  const named = new Set(records.flatMap(({ value }) => value.clip?.segments ?? []).map(([, , , hash]) => toHex(hash)));
  const mediaReceipts: Verified<MediaReceipt>[] = [];
  for (const bytes of file.mediaReceipts) {
    const receipt = openSigned(mediaReceiptKind, suite, bytes);
    checkReceiptAgainstClaim(receipt, claim);
    if (!receipt.value.entries.some(([hash]) => named.has(toHex(hash)))) refuse('a media receipt for other segments');
    mediaReceipts.push(receipt);
    yield count.add(bytes.length);
  }
  return { receipts, mediaReceipts };
}
