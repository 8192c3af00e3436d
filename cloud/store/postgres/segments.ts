import {
  CORRECT_TIMES,
  COUNT_DISCARDED,
  DELETE_OF_RECORD,
  discardedBody,
  FORGET_REMOVED,
  KEEP_FROM,
  keptFrom,
  MARK_STORED,
  NOTE_REMOVED,
  OF_BODY,
  segmentOf,
  segmentsNamed,
  SELECT_AGED,
  SELECT_DISCARDED,
  SELECT_OF_RECORD,
  SELECT_UPLOAD,
  uploadOf,
  type AgedRecord,
  type DiscardedColumns,
  type SegmentColumns,
  type UploadColumns,
} from '../segments.js';
import { notDeleted } from '../rows.js';
import type { SegmentStore } from '../segment-store.js';
import type { EpochKey } from '../store.js';
import type { Database, Session } from './database.js';
import type { NewRecord } from './new-record.js';
import { tuples } from './statements.js';

export function postgresSegments(database: Database): SegmentStore {
  return {
    upload: async ({ device, epoch, bodyHash }) => {
      const [found] = await database.rows<UploadColumns>(SELECT_UPLOAD, { device, epoch, bodyHash });
      return found === undefined ? undefined : uploadOf(found);
    },
    find: async ({ device, epoch, bodyHash }) => {
      const [found] = await database.rows<SegmentColumns>(
        `SELECT * FROM segment WHERE ${OF_BODY} AND ${notDeleted('segment')}`,
        { device, epoch, bodyHash },
      );
      return found === undefined ? undefined : segmentOf(found);
    },
    ofRecord: async (device, epoch, seq) =>
      (await database.rows<SegmentColumns>(SELECT_OF_RECORD, { device, epoch, seq })).map(segmentOf),
    markStored: async ({ id }) => (await database.execute(MARK_STORED, { id })) > 0,
    refuseForQuota: async ({ id }) => {
      await database.execute("UPDATE segment SET state = 'quota' WHERE id = @id AND state = 'expected'", { id });
    },
    expire: async (beforeMs, nowMs, limit) => {
      await database.execute(CORRECT_TIMES, { nowMs, limit });
      const found = await database.rows<EpochKey & { readonly seq: number }>(SELECT_AGED, { beforeMs, limit });
      for (const key of found) {
        const [record] = await database.rows<AgedRecord>(
          `SELECT coalesce(k.kept_from_ms, k.received_at_ms) AS "agedFromMs", b.bytes
           FROM record_key AS k JOIN record_body AS b USING (device, epoch, seq, day)
           WHERE k.device = @device AND k.epoch = @epoch AND k.seq = @seq`,
          { ...key },
        );
        const fromMs = keptFrom(record, beforeMs, nowMs);
        if (fromMs === null) await database.execute(DELETE_OF_RECORD, { ...key });
        else await database.execute(KEEP_FROM, { ...key, fromMs });
      }
      return found.length;
    },
    discarded: async (beforeMs, limit) =>
      (await database.rows<DiscardedColumns>(SELECT_DISCARDED, { beforeMs, limit })).map(discardedBody),
    removed: async (bodies, nowMs) => {
      for (const { device, epoch, bodyHash, sinceMs } of bodies) {
        const key = { device, epoch, bodyHash };
        if (sinceMs === null) await database.execute(NOTE_REMOVED, { ...key, nowMs });
        else await database.execute(FORGET_REMOVED, key);
      }
    },
    discardedCount: async (limit) =>
      (await database.rows<{ readonly n: number }>(COUNT_DISCARDED, { limit }))[0]?.n ?? 0,
  };
}

/** Notes the segments that records name; of two records that name one body the first counts. */
export async function insertSegments(session: Session, jobs: readonly NewRecord[]): Promise<void> {
  const rows = jobs.flatMap(({ record: { value }, atMs }) =>
    segmentsNamed(value).map((named) => [
      named.device,
      named.epoch,
      named.bodyHash,
      named.account,
      named.seq,
      named.eventId,
      named.clip,
      named.place,
      named.mediaId,
      named.length,
      atMs,
    ]),
  );
  if (rows.length === 0) return;
  const { text, values } = tuples(
    ['bytea', 'bigint', 'bytea', 'bytea', 'bigint', 'bytea', 'integer', 'integer', 'bytea', 'integer', 'bigint'],
    rows,
  );
  const columns = 'device, epoch, body_hash, account, seq, event_id, clip, place, media_id, length';
  // In the order of the key, so that two workers cannot deadlock.
  await session.execute(
    `INSERT INTO segment (${columns}, state, received_at_ms)
     SELECT ${columns}, 'expected', at_ms FROM (VALUES ${text}) AS input (${columns}, at_ms) ORDER BY device, epoch, body_hash
     ON CONFLICT DO NOTHING`,
    values,
  );
}
