import { divideExpired, type Expired } from '../signed-time.js';
import type { EpochKey, RecordStore } from '../store.js';
import type { Database, Guard } from './database.js';

interface RecordKey extends EpochKey {
  readonly seq: number;
}

/** Retention on one table of records; call it inside `records`. */
export function sqliteRetention(
  db: Database,
  guard: Guard,
): Pick<RecordStore, 'expire' | 'correctTimes' | 'keepLonger'> {
  const expired = db.prepare<{ beforeMs: number; limit: number }, Expired>(
    `SELECT device, epoch, seq, bytes FROM record AS old
     WHERE coalesce(kept_from_ms, received_at_ms) < @beforeMs
       AND EXISTS (SELECT 1 FROM record AS newer
         WHERE newer.device = old.device AND newer.epoch = old.epoch AND newer.seq > old.seq)
       AND NOT EXISTS (SELECT 1 FROM record AS kept
         WHERE kept.device = old.device AND kept.epoch = old.epoch AND kept.seq < old.seq
           AND coalesce(kept.kept_from_ms, kept.received_at_ms) >= @beforeMs)
     ORDER BY coalesce(kept_from_ms, received_at_ms), seq LIMIT @limit`,
  );
  const keepFrom = db.prepare<RecordKey & { madeAtMs: number }>(
    'UPDATE record SET kept_from_ms = @madeAtMs WHERE device = @device AND epoch = @epoch AND seq = @seq',
  );
  const deleteMedia = db.prepare<RecordKey>(
    'DELETE FROM media WHERE device = @device AND epoch = @epoch AND seq = @seq',
  );
  const deleteRecord = db.prepare<RecordKey>(
    'DELETE FROM record WHERE device = @device AND epoch = @epoch AND seq = @seq',
  );
  const correct = db.prepare<{ laterThanMs: number; nowMs: number; limit: number }>(
    `UPDATE record SET received_at_ms = min(received_at_ms, @nowMs), kept_from_ms = min(kept_from_ms, @nowMs)
     WHERE id IN (SELECT id FROM record WHERE coalesce(kept_from_ms, received_at_ms) > @laterThanMs LIMIT @limit)`,
  );
  const keepLonger = db.prepare<{ fromMs: number; toMs: number; byMs: number }>(
    `UPDATE record SET kept_from_ms = received_at_ms + @byMs
     WHERE received_at_ms BETWEEN @fromMs AND @toMs AND kept_from_ms IS NULL`,
  );

  function expire(beforeMs: number, limit: number, nowMs: number): number {
    let deleted = 0;
    while (deleted < limit) {
      const wanted = limit - deleted;
      const rows = expired.all({ beforeMs, limit: wanted });
      const { due, held } = divideExpired(rows, beforeMs, nowMs);
      for (const { record, madeAtMs } of held) {
        const { device, epoch, seq } = record;
        keepFrom.run({ device, epoch, seq, madeAtMs });
      }
      for (const { device, epoch, seq } of due) {
        deleteMedia.run({ device, epoch, seq });
        deleteRecord.run({ device, epoch, seq });
      }
      deleted += due.length;
      if (rows.length < wanted) break;
    }
    return deleted;
  }

  return {
    expire: (beforeMs, limit, nowMs = Infinity) =>
      guard(() => db.transaction(() => expire(beforeMs, limit, nowMs)).immediate()),
    correctTimes: (laterThanMs, nowMs, limit) => guard(() => correct.run({ laterThanMs, nowMs, limit }).changes),
    keepLonger: (fromMs, toMs, byMs) => guard(() => void keepLonger.run({ fromMs, toMs, byMs })),
  };
}
