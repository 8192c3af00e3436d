/** Checks an evidence file by itself: with no other key, no cloud and no clock. */
import { equal, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { anyClaimKind, type AnyClaim } from '../objects/claim.js';
import type { ClipSegment } from '../objects/clip.js';
import { mediaReceiptKind, type MediaReceipt } from '../objects/media-receipt.js';
import { anyReceiptKind, checkReceiptAgainstClaim, type AnyReceipt } from '../objects/receipt.js';
import { anyRecordKind, type AnyRecord } from '../objects/record.js';
import type { MediaRole } from '../objects/record-kinds.js';
import { openSigned, versionOf, type Verified } from '../objects/signed-object.js';
import type { SealedContent } from '../seal/content.js';
import { openWithE } from '../seal/object.js';
import { checkBinding } from '../verify/binding.js';
import { isMediaOf, isSegmentOf } from '../verify/media.js';
import { contextOf, eventOf, openPicture } from './event.js';
import { decodeEvidence, type EvidenceFile, type EvidenceRecord } from './evidence-file.js';

/** An opened picture or detail. */
export interface EvidencePicture {
  readonly seq: number;
  readonly role: MediaRole;
  readonly mediaId: Uint8Array;
  readonly content: SealedContent;
}

/** An opened segment of a clip. */
export interface EvidenceClipPart {
  readonly seq: number;
  /** Number of the clip in the event. */
  readonly clip: number;
  readonly index: number;
  readonly bytes: Uint8Array;
}

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

function refuse(why: string): never {
  throw new SealcamError('malformed', `evidence: ${why}`);
}

/**
 * Verifies an evidence file: the claim by its owner's signature, the records by their camera's (whose id follows from its key), by
 * their claim and as an unbroken chain; every object by length and hashes, by its key's commitment, and by opening it.
 *
 * @throws SealcamError `malformed`, `bad-signature`, `foreign`, `seal-refused`, `unsupported`: the file is refused whole
 */
export function verifyEvidence(suite: CryptoSuite, untrusted: Uint8Array): Evidence {
  const file = decodeEvidence(untrusted);
  const claim = openSigned(anyClaimKind, suite, file.claim);
  const accept = recordOf(suite, claim, file.accept);
  if (accept.value.kind !== 'accept') refuse('the camera did not accept the claim');
  const records = file.records.map(({ record }) => recordOf(suite, claim, record));
  const after = file.after === null ? null : recordOf(suite, claim, file.after);
  const eventId = checkEvent(records, after);
  checkChain(accept, records, after);

  const opened = file.records.map((part, i) => openRecord(suite, claim.value, eventId, records[i], part));
  return {
    claim,
    accept,
    eventId,
    records,
    after,
    pictures: opened.flatMap(({ pictures }) => pictures),
    clipParts: opened.flatMap(({ clipParts }) => clipParts),
    absent: opened.reduce((sum, { absent }) => sum + absent, 0),
    ...receiptsOf(suite, claim, records, after, file),
  };
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

interface OpenedRecord {
  readonly pictures: readonly EvidencePicture[];
  readonly clipParts: readonly EvidenceClipPart[];
  readonly absent: number;
}

/** Opens what a record names. */
function openRecord(
  suite: CryptoSuite,
  claim: AnyClaim,
  eventId: Uint8Array,
  record: Verified<AnyRecord> | undefined,
  { objects, segments }: EvidenceRecord,
): OpenedRecord {
  if (record === undefined) return refuse('a record is missing');
  const { value } = record;
  const { seq, media = [], clip } = value;
  const named = clip?.segments ?? [];
  const own = eventOf(value);
  const isOwn = own !== undefined && equal(own, eventId);
  if (objects.length !== media.length) refuse(`record ${String(seq)} names another number of objects`);
  if (!isOwn && (segments.length > 0 || objects.some((object) => object !== null))) {
    refuse(`record ${String(seq)} tells of something else and comes with objects`);
  }
  const pictures = media.flatMap((entry, at): EvidencePicture[] => {
    const object = objects[at] ?? null;
    if (object === null) return [];
    if (!isMediaOf(suite, entry, object)) refuse(`an object is not the one that record ${String(seq)} names`);
    const { role, id: mediaId } = entry;
    const content = openPicture(suite, claim, contextOf(value, eventId, mediaId, role), object.key, object);
    return [{ seq, role, mediaId, content }];
  });
  let last = -1;
  const clipParts = segments.map(({ place, body, key }) => {
    if (place <= last) refuse('segments that are not in a row');
    last = place;
    const segment = named[place] ?? refuse(`record ${String(seq)} names no such segment`);
    return openSegment(suite, value, segment, body, key);
  });
  const absent = isOwn ? media.length - pictures.length + named.length - clipParts.length : 0;
  return { pictures, clipParts, absent };
}

function openSegment(
  suite: CryptoSuite,
  record: AnyRecord,
  segment: ClipSegment,
  body: Uint8Array,
  key: Uint8Array,
): EvidenceClipPart {
  const { seq, clip } = record;
  const [index, mediaId, , , header] = segment;
  if (clip === undefined) return refuse('a segment of no clip');
  if (!isSegmentOf(suite, segment, body)) refuse(`a segment is not the one that record ${String(seq)} names`);
  const bytes = openWithE(suite, key, contextOf(record, clip.eventId, mediaId, 'segment'), { header, body });
  return { seq, clip: clip.number, index, bytes };
}

/** Checks the cloud's receipts: of this claim, and for records or segments of this file. */
function receiptsOf(
  suite: CryptoSuite,
  claim: Verified<AnyClaim>,
  records: readonly Verified<AnyRecord>[],
  after: Verified<AnyRecord> | null,
  file: EvidenceFile,
): Pick<Evidence, 'receipts' | 'mediaReceipts'> {
  const known = after === null ? records : [...records, after];
  const hashes = new Map(known.map(({ value, hash }) => [value.seq, hash]));
  const [first, last] = [records[0]?.value.seq ?? 0, records.at(-1)?.value.seq ?? 0];
  const receipts = file.receipts.map((bytes) => {
    const receipt = openSigned(anyReceiptKind, suite, bytes);
    checkReceiptAgainstClaim(receipt, claim);
    const own = receipt.value.ranges.filter(([from, to]) => from <= last && to >= first);
    if (own.length === 0) refuse('a receipt for other records');
    for (const [, to, hash] of own) {
      if (!equal(hashes.get(to) ?? hash, hash)) refuse(`a receipt for another record ${String(to)}`);
    }
    return receipt;
  });
  const named = new Set(records.flatMap(({ value }) => value.clip?.segments ?? []).map(([, , , hash]) => toHex(hash)));
  const mediaReceipts = file.mediaReceipts.map((bytes) => {
    const receipt = openSigned(mediaReceiptKind, suite, bytes);
    checkReceiptAgainstClaim(receipt, claim);
    if (!receipt.value.entries.some(([hash]) => named.has(toHex(hash)))) refuse('a media receipt for other segments');
    return receipt;
  });
  return { receipts, mediaReceipts };
}
