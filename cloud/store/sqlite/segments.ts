import type { EpochKey } from '../epoch-key.js';
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
import type { DiscardedBody, SegmentKey, SegmentStore } from '../segment-store.js';
import type { Database, Guard } from './database.js';
import type { RecordKey } from './delete-record.js';

export function sqliteSegments(db: Database, guard: Guard): SegmentStore {
  const upload = db.prepare<SegmentKey, UploadColumns>(SELECT_UPLOAD);
  const one = db.prepare<SegmentKey, SegmentColumns>(
    `SELECT * FROM segment WHERE ${OF_BODY} AND ${notDeleted('segment')}`,
  );
  const ofRecord = db.prepare<RecordKey, SegmentColumns>(SELECT_OF_RECORD);
  const markStored = db.prepare<{ id: number }>(MARK_STORED);
  const refuse = db.prepare<{ id: number }>("UPDATE segment SET state = 'quota' WHERE id = @id AND state = 'expected'");
  const correct = db.prepare<{ nowMs: number; limit: number }>(CORRECT_TIMES);
  const aged = db.prepare<{ beforeMs: number; limit: number }, EpochKey & { readonly seq: number }>(SELECT_AGED);
  const recordOf = db.prepare<RecordKey, AgedRecord>(
    `SELECT coalesce(kept_from_ms, received_at_ms) AS agedFromMs, bytes FROM record
     WHERE device = @device AND epoch = @epoch AND seq = @seq`,
  );
  const keepFrom = db.prepare<RecordKey & { fromMs: number }>(KEEP_FROM);
  const deleteOf = db.prepare<RecordKey>(DELETE_OF_RECORD);
  const discarded = db.prepare<{ beforeMs: number; limit: number }, DiscardedColumns>(SELECT_DISCARDED);
  const note = db.prepare<SegmentKey & { nowMs: number }>(NOTE_REMOVED);
  const forget = db.prepare<SegmentKey>(FORGET_REMOVED);
  const count = db.prepare<{ limit: number }, { readonly n: number }>(COUNT_DISCARDED);

  function expire(beforeMs: number, nowMs: number, limit: number): number {
    correct.run({ nowMs, limit });
    const found = aged.all({ beforeMs, limit });
    // Signatures are checked outside the transaction.
    const judged = found.map((key) => ({ key, fromMs: keptFrom(recordOf.get(key), beforeMs, nowMs) }));
    db.transaction(() => {
      for (const { key, fromMs } of judged) {
        if (fromMs === null) deleteOf.run(key);
        else keepFrom.run({ ...key, fromMs });
      }
    }).immediate();
    return found.length;
  }

  function removed(bodies: readonly DiscardedBody[], nowMs: number): void {
    for (const { device, epoch, bodyHash, sinceMs } of bodies) {
      if (sinceMs === null) note.run({ device, epoch, bodyHash, nowMs });
      else forget.run({ device, epoch, bodyHash });
    }
  }

  return {
    upload: ({ device, epoch, bodyHash }) =>
      guard(() => {
        const columns = upload.get({ device, epoch, bodyHash });
        return columns === undefined ? undefined : uploadOf(columns);
      }),
    find: ({ device, epoch, bodyHash }) =>
      guard(() => {
        const columns = one.get({ device, epoch, bodyHash });
        return columns === undefined ? undefined : segmentOf(columns);
      }),
    ofRecord: (device, epoch, seq) => guard(() => ofRecord.all({ device, epoch, seq }).map(segmentOf)),
    markStored: ({ id }) => guard(() => markStored.run({ id }).changes > 0),
    refuseForQuota: ({ id }) => guard(() => void refuse.run({ id })),
    expire: (beforeMs, nowMs, limit) => guard(() => expire(beforeMs, nowMs, limit)),
    discarded: (beforeMs, limit) => guard(() => discarded.all({ beforeMs, limit }).map(discardedBody)),
    removed: (bodies, nowMs) => guard(() => db.transaction(() => removed(bodies, nowMs)).immediate()),
    discardedCount: (limit) => guard(() => count.get({ limit })?.n ?? 0),
  };
}
