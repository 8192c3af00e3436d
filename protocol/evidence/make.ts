/** Makes an evidence file of one event from records that were verified, with the key of each object and no other key. */
import { equal, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../crypto/suite.js';
import type { AnyClaim } from '../objects/claim.js';
import type { ClipSegment } from '../objects/clip.js';
import type { MediaReceipt } from '../objects/media-receipt.js';
import type { AnyReceipt } from '../objects/receipt.js';
import type { AnyRecord } from '../objects/record.js';
import type { Verified } from '../objects/signed-object.js';
import type { SealedObject } from '../seal/seal.js';
import { eventOf, contextOf } from './event.js';
import { encodeEvidence, type EvidenceObject, type EvidenceRecord, type EvidenceSegment } from './evidence-file.js';
import type { EpochKeys } from './household-keys.js';
import { verifyEvidence } from './verify.js';

/** A verified record with those of its objects that are at hand, and are the ones that it names. */
export interface StoredRecord {
  readonly record: Verified<AnyRecord>;
  readonly media: readonly (SealedObject | null)[];
}

export interface EvidenceSource {
  readonly claim: Verified<AnyClaim>;
  /** Records of the claim's epoch, in any order, each seq once. */
  readonly records: readonly StoredRecord[];
  /** Bodies of clips' segments by their SHA-256 in hex. */
  readonly segments: ReadonlyMap<string, Uint8Array>;
  readonly receipts: readonly Verified<AnyReceipt>[];
  readonly mediaReceipts: readonly Verified<MediaReceipt>[];
  readonly keys: EpochKeys;
}

function refuse(why: string): never {
  throw new SealcamError('evidence-incomplete', why);
}

/**
 * Returns the bytes of an evidence file, which it has verified.
 * @throws SealcamError `evidence-incomplete` where records are missing, `seal-refused`, `too-large`
 */
export function makeEvidence(suite: CryptoSuite, source: EvidenceSource, eventId: Uint8Array): Uint8Array {
  const { claim, keys } = source;
  const bySeq = new Map(source.records.map((stored) => [stored.record.value.seq, stored]));
  const seqs = source.records.filter(({ record }) => isOf(record.value, eventId)).map(({ record }) => record.value.seq);
  if (seqs.length === 0) refuse('no record tells of this event');
  const [first, last] = [Math.min(...seqs), Math.max(...seqs)];
  const accept = bySeq.get(0) ?? refuse('the record with which the camera accepted the claim is missing');
  const records: EvidenceRecord[] = [];
  for (let seq = first; seq <= last; seq++) {
    const { record, media } = bySeq.get(seq) ?? refuse(`record ${String(seq)} is missing`);
    const isOwn = isOf(record.value, eventId);
    records.push({
      record: record.bytes,
      objects: (record.value.media ?? []).map((_, at) => (isOwn ? objectOf(keys, record.value, at, media[at]) : null)),
      segments: isOwn ? segmentsOf(keys, record.value, source.segments) : [],
    });
  }
  const named = new Set(clipBodies(records.map((_, i) => bySeq.get(first + i)?.record.value)));
  const bytes = encodeEvidence({
    claim: claim.bytes,
    accept: accept.record.bytes,
    records,
    after: bySeq.get(last + 1)?.record.bytes ?? null,
    receipts: source.receipts
      .filter(({ value }) => value.ranges.some(([from, to]) => from <= last && to >= first))
      .map((receipt) => receipt.bytes),
    mediaReceipts: source.mediaReceipts
      .filter(({ value }) => value.entries.some(([hash]) => named.has(toHex(hash))))
      .map((receipt) => receipt.bytes),
  });
  verifyEvidence(suite, bytes);
  return bytes;
}

function isOf(record: AnyRecord, eventId: Uint8Array): boolean {
  const own = eventOf(record);
  return own !== undefined && equal(own, eventId);
}

function objectOf(
  keys: EpochKeys,
  record: AnyRecord,
  at: number,
  sealed: SealedObject | null | undefined,
): EvidenceObject | null {
  const media = record.media?.[at];
  const eventId = eventOf(record);
  if (media === undefined || eventId === undefined || sealed === null || sealed === undefined) return null;
  const key = keys.keyOf(contextOf(record, eventId, media.id, media.role), sealed);
  if (key === undefined) return refuse('the key record of the period is missing');
  return { header: sealed.header, body: sealed.body, key };
}

function segmentsOf(
  keys: EpochKeys,
  record: AnyRecord,
  bodies: ReadonlyMap<string, Uint8Array>,
): readonly EvidenceSegment[] {
  const { clip } = record;
  return (clip?.segments ?? []).flatMap(([, mediaId, , bodyHash, header], place) => {
    const body = bodies.get(toHex(bodyHash));
    if (clip === undefined || body === undefined) return [];
    const context = contextOf(record, clip.eventId, mediaId, 'segment');
    const key = keys.keyOf(context, { header, body });
    if (key === undefined) return refuse('the key record of the period is missing');
    return [{ place, body, key }];
  });
}

/** Returns the hashes of all segments that records name, in hex. */
function clipBodies(records: readonly (AnyRecord | undefined)[]): string[] {
  const segments: readonly ClipSegment[] = records.flatMap((record) => record?.clip?.segments ?? []);
  return segments.map(([, , , bodyHash]) => toHex(bodyHash));
}
