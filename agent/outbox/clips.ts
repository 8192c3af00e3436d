/** Clip records and their bodies: appended together, sent once the record has its receipt, deleted on a media receipt. */
import { equal } from '../../common/bytes.js';
import { isSealcamError } from '../../common/errors.js';
import type { ClipSegment, RecordClip } from '../../protocol/objects/clip.js';
import type { MediaReceipt } from '../../protocol/objects/media-receipt.js';
import type { AnyRecord, RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { countLoss } from './append.js';
import { fileName } from './bodies.js';
import { enforceLimits } from './limits.js';
import type { Place } from './queued.js';
import type { SegmentRow } from './segment-queries.js';
import type { SegmentTotals } from './segments.js';
import type { OutboxStore } from './store.js';

/** A sealed segment: its entry in the clip record, its body, and the period that it was sealed in. */
export interface NewSegment {
  readonly entry: ClipSegment;
  readonly body: Uint8Array;
  readonly periodId: Uint8Array;
}

export interface ClipContent {
  readonly time: RecordTime;
  readonly clip: Omit<RecordClip, 'segments'>;
}

/** A body that the cloud takes now. */
export interface QueuedSegment {
  readonly epoch: number;
  readonly bodyHash: Uint8Array;
  readonly length: number;
  /** Returns the body; null if it is not here any more, or damaged, which becomes a signed loss. */
  read(): Uint8Array | null;
}

/** See {@link Outbox.appendClip}. */
export function appendClip(
  store: OutboxStore,
  { time, clip }: ClipContent,
  segments: readonly NewSegment[],
  sealedFor: Uint8Array,
): Verified<AnyRecord> | null {
  const open = store.signingEpoch();
  if (!equal(sealedFor, new Uint8Array(open.claim_hash))) {
    if (segments.length > 0) countLoss(store, 'claim-changed', segments.length);
    return null;
  }
  const { epoch, head_seq: head } = open;
  const rows = rowsOf(store, { epoch, seq: head + 1 }, clip, segments);
  const written: SegmentRow[] = [];
  try {
    for (const [i, { body }] of segments.entries()) {
      const row = rows[i];
      if (row !== undefined && writeBody(store, row, body)) written.push(row);
    }
    if (written.length > 0) store.bodies.sync();
    return store.transaction(() => {
      const { queries, segments: queued } = store;
      const record = store.insert(store.signingEpoch(), {
        kind: 'clip',
        time,
        clip: { ...clip, segments: segments.map(({ entry }) => entry) },
      });
      queued.queries.count.run({ epoch, made: rows.length, kept: 0, lost: 0 });
      for (const row of rows) {
        queries.insertPeriodUse.run({ epoch, seq: row.seq, keySeq: row.key_seq });
        queued.add(row);
        if (!written.includes(row)) queued.drop(row, 'full');
      }
      queued.limit(store.limits.clipMaxBytes);
      enforceLimits(store, time);
      return record;
    });
  } catch (error) {
    for (const row of written) store.bodies.remove(fileName(row));
    throw error;
  }
}

/** Returns up to `count` bodies that the cloud takes now, in the order in which they are sent. */
export function segmentsToSend(store: OutboxStore, count: number): QueuedSegment[] {
  const rows = store.reading(() => store.segments.queries.toSend.all(count));
  return rows.map(({ epoch, hash, length }) => {
    const bodyHash = new Uint8Array(hash);
    return { epoch, bodyHash, length, read: () => readBody(store, epoch, bodyHash) };
  });
}

/** See {@link Outbox.applyMediaReceipt}. */
export function applyMediaReceipt(
  store: OutboxStore,
  { value: { epoch, entries } }: Verified<MediaReceipt>,
): { readonly stored: number; readonly refused: number } {
  return store.transaction(() => {
    const { segments } = store;
    let [stored, refused] = [0, 0];
    for (const [hash, result] of entries) {
      const row = segments.queries.get.get(epoch, hash);
      // A body whose record has no receipt was never sent.
      if (row?.ready !== 1) continue;
      if (result === 'stored') {
        segments.stored(row);
        stored++;
      } else {
        segments.drop(row, 'refused');
        refused++;
      }
    }
    store.deleteDrained();
    return { stored, refused };
  });
}

/**
 * Removes files without a row, and gives up rows without a file. Call it once, when the outbox is open.
 *
 * @param counted null where the database is the one that the camera had last. In another one a file without a row may be a body
 *   that was lost with its row: then how many of them were counted already
 */
export function sweepBodies(
  store: OutboxStore,
  counted: number | null,
): { readonly orphans: number; readonly missing: number } {
  const rows = store.reading(() => store.segments.queries.names.all());
  const files = new Set(store.bodies.names());
  const missing = rows.filter((row) => !files.has(fileName(row)));
  for (const row of rows) files.delete(fileName(row));
  const orphans = files.size;
  const lost = counted === null ? 0 : Math.max(0, orphans - counted);
  if (missing.length > 0 || lost > 0) {
    store.transaction(() => {
      for (const { epoch, hash } of missing) giveUpBody(store, epoch, hash);
      const open = store.queries.openEpoch.get();
      if (open !== undefined && lost > 0) {
        store.segments.queries.count.run({ epoch: open.epoch, made: lost, kept: 0, lost });
        store.losses.addCount(open.epoch, 'state-lost', lost);
      }
      store.deleteDrained();
    });
  }
  for (const name of files) store.bodies.remove(name);
  return { orphans, missing: missing.length };
}

/** Returns the totals of the open epoch. */
export function segmentTotals(store: OutboxStore): SegmentTotals {
  return store.reading(() => {
    const { queries, segments } = store;
    const epoch = queries.openEpoch.get()?.epoch ?? 0;
    const counts = segments.queries.counts.get(epoch);
    const [produced, receipted, lost] = [counts?.clip_made ?? 0, counts?.clip_kept ?? 0, counts?.clip_lost ?? 0];
    const queuedBytes = segments.queries.bytes.get()?.bytes ?? 0;
    return { produced, receipted, queued: produced - receipted - lost, lost, queuedBytes };
  });
}

function rowsOf(
  store: OutboxStore,
  place: Place,
  clip: ClipContent['clip'],
  segments: readonly NewSegment[],
): SegmentRow[] {
  const { epoch, seq } = place;
  const clipSeq = store.segments.clipSeq(place, clip);
  return segments.map(({ entry: [index, mediaId, length, hash], periodId }) => ({
    epoch,
    hash,
    seq,
    clip_seq: clipSeq,
    idx: index,
    media_id: mediaId,
    length,
    key_seq: store.keySeqOf(epoch, periodId),
    ready: 0,
  }));
}

/** Writes a body, in the room of others if the disk is full. False, with nothing left of it, where that is not enough. */
function writeBody(store: OutboxStore, row: SegmentRow, body: Uint8Array): boolean {
  for (;;) {
    try {
      store.bodies.write(row, body);
      return true;
    } catch (error) {
      if (!isSealcamError(error) || error.code !== 'store-full') throw error;
      if (!store.makeRoom(body.length)) return false;
    }
  }
}

function readBody(store: OutboxStore, epoch: number, hash: Uint8Array): Uint8Array | null {
  const body = store.bodies.read({ epoch, hash });
  if (body !== null && equal(store.sha256(body), hash)) return body;
  store.transaction(() => {
    giveUpBody(store, epoch, hash);
    store.deleteDrained();
  });
  return null;
}

/** Gives up a body whose file is damaged or missing. */
function giveUpBody({ segments }: OutboxStore, epoch: number, hash: Uint8Array): void {
  const row = segments.queries.get.get(epoch, hash);
  if (row !== undefined) segments.drop(row, 'corrupt');
}
