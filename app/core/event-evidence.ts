import { equal, fromHex, toHex } from '../../common/bytes.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { makeEvidence, type EvidenceSource, type StoredRecord } from '../../protocol/evidence/make.js';
import { eventOf } from '../../protocol/evidence/event.js';
import { HASH_BYTES } from '../../protocol/objects/ids.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { decodeObjectHeader } from '../../protocol/seal/object.js';
import type { OpenedPeriod } from '../../protocol/seal/open-period.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import { isMediaOf, isSegmentOf } from '../../protocol/verify/media.js';
import type { CloudClient } from './cloud-client.js';
import type { HistoryKeeper } from './history-keeper.js';
import type { Owner } from './owner.js';
import type { TimelineEvent } from './timeline.js';

export interface EvidenceDependencies {
  readonly suite: CryptoSuite;
  readonly client: Pick<CloudClient, 'records' | 'media' | 'segment'>;
  readonly history: HistoryKeeper;
  readonly owner: Pick<Owner, 'openPeriod'>;
}

/** Records of one request. */
const PAGE_RECORDS = 200;

/**
 * Makes an evidence file of an event of version 2, its clips included: somebody else can check it without a key of the household. What
 * the cloud does not have is not in it. The cloud does not hand out its receipts one by one, so the file has no receipts.
 * @throws SealcamError `evidence-incomplete` where records are missing; `cloud-lied`, `cloud-unreachable`, …
 */
export async function evidenceOf(deps: EvidenceDependencies, event: TimelineEvent): Promise<Uint8Array> {
  const { suite, history } = deps;
  const device = fromHex(event.device, HASH_BYTES);
  const claim = device === undefined ? null : history.claimOf(device, event.epoch);
  const [first] = event.records;
  const eventId = first === undefined ? undefined : eventOf(first.record.value);
  if (claim === null || eventId === undefined) throw new SealcamError('not-found', 'this event is not known here');
  const records = await recordsOf(deps, claim.value, event);
  const isOwn = ({ value }: Verified<AnyRecord>): boolean => {
    const id = eventOf(value);
    return id !== undefined && equal(id, eventId);
  };
  const stored: StoredRecord[] = [];
  const segments = new Map<string, Uint8Array>();
  for (const record of records) {
    stored.push({ record, media: isOwn(record) ? await mediaOf(deps, record.value) : [] });
    if (isOwn(record)) await addSegments(deps, record.value, segments);
  }
  const keys = await keysOf(deps, claim.value, stored);
  return makeEvidence(suite, { claim, records: stored, segments, receipts: [], mediaReceipts: [], keys }, eventId);
}

/** Returns the accept, and the records from the event's first to the one after its last. */
async function recordsOf(
  { client, history }: EvidenceDependencies,
  { device, epoch }: Pick<AnyRecord, 'device' | 'epoch'>,
  event: TimelineEvent,
): Promise<readonly Verified<AnyRecord>[]> {
  const seqs = [...event.records, ...event.clips].map(({ record }) => record.value.seq);
  const [from, to] = [Math.min(...seqs), Math.max(...seqs) + 1];
  const bySeq = new Map<number, Verified<AnyRecord>>();
  const fetch = async (before: number, limit: number): Promise<number | null> => {
    const { records } = await client.records(device, epoch, before, limit);
    for (const item of records) {
      const outcome = await history.verifyAndApply(item.record, item.receivedAtMs);
      if ('verdict' in outcome) throw new SealcamError('cloud-lied', `a record that is refused: ${outcome.message}`);
      const { value } = outcome.record;
      if (equal(value.device, device) && value.epoch === epoch) bySeq.set(value.seq, outcome.record);
    }
    return bySeq.size === 0 ? null : Math.min(...bySeq.keys());
  };
  let before = to + 1;
  while (before > from) {
    const lowest = await fetch(before, Math.min(PAGE_RECORDS, before - from));
    if (lowest === null || lowest >= before) break;
    before = lowest;
  }
  if (!bySeq.has(0)) await fetch(1, 1);
  return [...bySeq.values()].filter(({ value: { seq } }) => seq === 0 || (seq >= from && seq <= to));
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
  { device, epoch }: Pick<AnyRecord, 'device' | 'epoch'>,
  stored: readonly StoredRecord[],
): Promise<EvidenceSource['keys']> {
  const periods = new Map<string, OpenedPeriod>();
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
