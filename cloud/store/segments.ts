/** What the stores share about segments: columns that both name alike, and the conditions of their queries. */
import { equal } from '../../common/bytes.js';
import type { ClipSegment } from '../../protocol/objects/clip.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import { signedTimeOf } from './expiry.js';
import { notDeleted } from './rows.js';
import type { DiscardedBody, Segment, SegmentKey, SegmentState, Upload } from './segment-store.js';

export interface SegmentColumns {
  readonly id: number;
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly body_hash: Uint8Array;
  readonly seq: number;
  readonly event_id: Uint8Array;
  readonly clip: number;
  readonly place: number;
  readonly media_id: Uint8Array;
  readonly length: number;
  readonly state: SegmentState;
}

export function segmentOf(columns: SegmentColumns): Segment {
  return {
    id: columns.id,
    device: new Uint8Array(columns.device),
    epoch: columns.epoch,
    bodyHash: new Uint8Array(columns.body_hash),
    seq: columns.seq,
    eventId: new Uint8Array(columns.event_id),
    clip: columns.clip,
    index: columns.place,
    mediaId: new Uint8Array(columns.media_id),
    length: columns.length,
    state: columns.state,
  };
}

/** Whether a store answered with the row that was asked for. */
export function isSegmentAt({ device, epoch, bodyHash }: Segment, key: SegmentKey): boolean {
  return equal(device, key.device) && epoch === key.epoch && equal(bodyHash, key.bodyHash);
}

export interface UploadColumns extends SegmentColumns {
  readonly camera_bytes: number;
  readonly account_bytes: number;
}

export function uploadOf(columns: UploadColumns): Upload {
  return { segment: segmentOf(columns), cameraBytes: columns.camera_bytes, accountBytes: columns.account_bytes };
}

export interface DiscardedColumns {
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly body_hash: Uint8Array;
  readonly since_ms: number | null;
}

export function discardedBody({ device, epoch, body_hash, since_ms }: DiscardedColumns): DiscardedBody {
  return { device: new Uint8Array(device), epoch, bodyHash: new Uint8Array(body_hash), sinceMs: since_ms };
}

/** A row of the table `segment`, as a record names it. */
export interface NewSegment {
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly bodyHash: Uint8Array;
  readonly account: Uint8Array;
  readonly seq: number;
  readonly eventId: Uint8Array;
  readonly clip: number;
  readonly place: number;
  readonly mediaId: Uint8Array;
  readonly length: number;
}

/** Returns the segments that a record names; none unless it is a clip. */
export function segmentsIn(record: AnyRecord): readonly ClipSegment[] {
  return record.version === undefined ? [] : (record.clip?.segments ?? []);
}

/** Returns the rows of the segments that a record names. */
export function segmentsNamed(record: AnyRecord): readonly NewSegment[] {
  if (record.version === undefined || record.clip === undefined) return [];
  const { device, epoch, account, seq } = record;
  const { eventId, number: clip, segments } = record.clip;
  return segments.map(([place, mediaId, length, bodyHash]) => ({
    device,
    epoch,
    bodyHash,
    account,
    seq,
    eventId,
    clip,
    place,
    mediaId,
    length,
  }));
}

/** Condition that the body of a row may come: its owner deleted neither range nor account, and no earlier body waits to be removed. */
const MAY_COME = `${notDeleted('segment')}
  AND NOT EXISTS (SELECT 1 FROM account_deletion AS mark WHERE mark.account = segment.account)
  AND NOT EXISTS (SELECT 1 FROM discarded_body AS waits WHERE waits.device = segment.device
    AND waits.epoch = segment.epoch AND waits.body_hash = segment.body_hash)`;

export const OF_BODY = 'device = @device AND epoch = @epoch AND body_hash = @bodyHash';

const USE = 'CAST(coalesce(sum(bytes), 0) AS bigint) FROM segment_use AS used';

/** A refusal is final, so it is found also where everything else is hidden. */
export const SELECT_UPLOAD = `SELECT segment.*,
    (SELECT ${USE} WHERE used.device = segment.device) AS camera_bytes,
    (SELECT ${USE} WHERE used.account = segment.account) AS account_bytes
  FROM segment WHERE ${OF_BODY} AND (state IN ('deleted', 'quota') OR (${MAY_COME}))`;

export const MARK_STORED = `UPDATE segment SET state = 'stored' WHERE id = @id AND state = 'expected' AND ${MAY_COME}
  AND EXISTS (SELECT 1 FROM claim WHERE claim.device = segment.device AND claim.epoch = segment.epoch
    AND claim.state <> 'revoked')`;

/** Records with bodies that were received before `@beforeMs`, as the rows of the segments say. */
export const SELECT_AGED = `SELECT DISTINCT device, epoch, seq FROM segment
  WHERE state IN ('expected', 'stored') AND received_at_ms < @beforeMs LIMIT @limit`;

const OF_RECORD = 'device = @device AND epoch = @epoch AND seq = @seq';
export const SELECT_OF_RECORD = `SELECT * FROM segment WHERE ${OF_RECORD} ORDER BY place, id`;
export const KEEP_FROM = `UPDATE segment SET received_at_ms = @fromMs WHERE ${OF_RECORD}`;
export const DELETE_OF_RECORD = `UPDATE segment SET state = 'deleted' WHERE ${OF_RECORD} AND state <> 'deleted'`;
/** Times that a clock wrote which was ahead. */
export const CORRECT_TIMES = `UPDATE segment SET received_at_ms = @nowMs WHERE id IN
  (SELECT id FROM segment WHERE state IN ('expected', 'stored') AND received_at_ms > @nowMs LIMIT @limit)`;

/** New ones first. */
export const SELECT_DISCARDED = `SELECT * FROM discarded_body WHERE since_ms IS NULL OR since_ms < @beforeMs
  ORDER BY since_ms IS NOT NULL, since_ms LIMIT @limit`;
export const NOTE_REMOVED = `UPDATE discarded_body SET since_ms = @nowMs WHERE ${OF_BODY} AND since_ms IS NULL`;
export const FORGET_REMOVED = `DELETE FROM discarded_body WHERE ${OF_BODY} AND since_ms IS NOT NULL`;
export const COUNT_DISCARDED = 'SELECT count(*) AS n FROM (SELECT 1 FROM discarded_body LIMIT @limit) AS found';

/** What a record says about the age of its segments. */
export interface AgedRecord {
  /** From when its own retention counts. */
  readonly agedFromMs: number;
  readonly bytes: Uint8Array | null;
}

/** Returns from when the segments of a record are kept, where that is `beforeMs` or later; null where they may go. */
export function keptFrom(record: AgedRecord | undefined, beforeMs: number, nowMs: number): number | null {
  if (record === undefined) return null;
  if (record.agedFromMs >= beforeMs) return record.agedFromMs;
  const madeAtMs = signedTimeOf(record.bytes);
  return madeAtMs !== null && madeAtMs >= beforeMs && madeAtMs <= nowMs ? madeAtMs : null;
}
