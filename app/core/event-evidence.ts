import { equal, toHex } from '../../common/bytes.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import { makeEvidence, type EvidenceSource, type StoredRecord } from '../../protocol/evidence/make.js';
import { eventOf } from '../../protocol/evidence/event.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import { decodeObjectHeader } from '../../protocol/seal/object.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import { isMediaOf, isSegmentOf } from '../../protocol/verify/media.js';
import { EvidenceRecords, type EvidenceDependencies } from './evidence-records.js';
import { receiptsFor } from './evidence-receipts.js';
import type { TimelineEvent } from './timeline.js';

/** An event among the records of its epoch. */
export interface EventPlace {
  readonly eventId: Uint8Array;
  /** Seqs of its first and last record. */
  readonly first: number;
  readonly last: number;
}

/**
 * Makes an evidence file of an event of version 2, its clips included: somebody else can check it without a key of the household. What
 * the cloud does not have is not in it, its receipts included.
 * @throws SealcamError `evidence-incomplete` where records are missing; `cloud-lied`, `cloud-unreachable`, …
 */
export function evidenceOf(deps: EvidenceDependencies, event: TimelineEvent): Promise<Uint8Array> {
  const [first] = event.records;
  const eventId = first === undefined ? undefined : eventOf(first.record.value);
  if (eventId === undefined) throw new SealcamError('not-found', 'this event is not known here');
  const seqs = [...event.records, ...event.clips].map(({ record }) => record.value.seq);
  const place = { eventId, first: Math.min(...seqs), last: Math.max(...seqs) };
  return evidenceAt(deps, new EvidenceRecords(deps, event.device, event.epoch), place);
}

/** The same of an event that stands at a place among the records of an epoch. */
export async function evidenceAt(
  deps: EvidenceDependencies,
  epoch: EvidenceRecords,
  { eventId, first, last }: EventPlace,
): Promise<Uint8Array> {
  const { suite, client } = deps;
  const { claim } = epoch;
  const records = (await epoch.range(first, last + 1)).map(({ record }) => record);
  const isOwn = (value: AnyRecord): boolean => {
    const id = eventOf(value);
    return id !== undefined && equal(id, eventId);
  };
  const stored: StoredRecord[] = [];
  const segments = new Map<string, Uint8Array>();
  for (const record of records) {
    stored.push({ record, media: isOwn(record.value) ? await mediaOf(deps, record.value) : [] });
    if (isOwn(record.value)) await addSegments(deps, record.value, segments);
  }
  const keys = await keysOf(deps, epoch, stored);
  const within = records.filter(({ value: { seq } }) => seq >= first && seq <= last);
  const receipts = await receiptsFor(suite, client, claim, within);
  return makeEvidence(suite, { claim, records: stored, segments, receipts, mediaReceipts: [], keys }, eventId);
}

async function mediaOf(
  { suite, client }: EvidenceDependencies,
  { device, epoch, media = [] }: AnyRecord,
): Promise<readonly (SealedObject | null)[]> {
  const objects: (SealedObject | null)[] = [];
  for (const named of media) {
    const sealed = await ifThere(() => client.media(device, epoch, named.id));
    if (sealed !== null && !isMediaOf(suite, named, sealed)) refuse();
    objects.push(sealed);
  }
  return objects;
}

async function addSegments(
  { suite, client }: EvidenceDependencies,
  { device, epoch, clip }: AnyRecord,
  segments: Map<string, Uint8Array>,
): Promise<void> {
  for (const entry of clip?.segments ?? []) {
    const [, , , bodyHash] = entry;
    const body = await ifThere(() => client.segment(device, epoch, bodyHash));
    if (body !== null && !isSegmentOf(suite, entry, body)) refuse();
    if (body !== null) segments.set(toHex(bodyHash), body);
  }
}

function refuse(): never {
  throw new SealcamError('cloud-lied', 'the cloud sent a sealed object that the record does not name');
}

async function ifThere<T>(fetch: () => Promise<T>): Promise<T | null> {
  try {
    return await fetch();
  } catch (error) {
    if (isSealcamError(error) && error.code === 'not-found') return null;
    throw error;
  }
}

/** Opens every period in which something of the event was sealed. */
async function keysOf(
  { owner }: EvidenceDependencies,
  { claim, periods }: EvidenceRecords,
  stored: readonly StoredRecord[],
): Promise<EvidenceSource['keys']> {
  const { device, epoch } = claim.value;
  const headers = stored.flatMap(({ record, media }) => [
    ...media.flatMap((object) => object?.header ?? []),
    ...(record.value.clip?.segments ?? []).map(([, , , , header]) => header),
  ]);
  for (const header of headers) {
    const { periodId } = decodeObjectHeader(header);
    const name = toHex(periodId);
    if (!periods.has(name)) periods.set(name, await owner.openPeriod(device, epoch, periodId));
  }
  return {
    keyOf: (context, { header }) => periods.get(toHex(decodeObjectHeader(header).periodId))?.keyOf(context, header),
  };
}
