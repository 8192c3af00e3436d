import type { Floor } from '../../../protocol/objects/floor.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { epochKey } from '../../../protocol/objects/ids.js';
import { expiryOf, type Aged, type ExpiryLimits } from '../expiry.js';
import { IS_KEY_BETWEEN, IS_SPENT_PERIOD } from '../rows.js';
import type { Expirable, ExpiryCursor, Overdue, RetentionStore } from '../statement-store.js';
import type { EpochKey } from '../store.js';
import type { Database, Guard } from './database.js';
import { recordDeleter, type RecordKey } from './delete-record.js';

interface ExpiredColumns extends EpochKey, ExpiryCursor {}

/** Key records go after everything else, once nothing needs them: they neither hold up the rest nor are overdue. */
const IS_NO_KEY = "kind <> 'key'";
/** From when the retention of a record counts. */
const AGED_FROM = 'coalesce(kept_from_ms, received_at_ms)';

/** What is newer than the record `old` in its epoch. */
const NEWER = `SELECT 1 FROM record AS newer
  WHERE newer.device = old.device AND newer.epoch = old.epoch AND newer.seq > old.seq AND newer.${IS_NO_KEY}`;

export function sqliteRetention(db: Database, guard: Guard): RetentionStore {
  const deleteOne = recordDeleter(db);
  const expired = db.prepare<ExpiryCursor & { beforeMs: number; limit: number }, ExpiredColumns>(
    `SELECT device, epoch, id, ${AGED_FROM} AS agedFromMs FROM record AS old
     WHERE seq > 0 AND ${IS_NO_KEY} AND ${AGED_FROM} < @beforeMs AND ${AGED_FROM} >= @agedFromMs
       AND (${AGED_FROM} > @agedFromMs OR id > @id) AND EXISTS (${NEWER})
     ORDER BY ${AGED_FROM}, id LIMIT @limit`,
  );
  const overdue = db.prepare<{ beforeMs: number; limit: number }, Overdue>(
    `SELECT count(*) AS records, min(agedFromMs) AS oldestMs FROM
       (SELECT ${AGED_FROM} AS agedFromMs FROM record AS old
        WHERE seq > 0 AND ${IS_NO_KEY} AND ${AGED_FROM} < @beforeMs AND EXISTS (${NEWER})
        ORDER BY ${AGED_FROM}, id LIMIT @limit)`,
  );
  // Only what is old is opened.
  const lowest = db.prepare<EpochKey & { beforeMs: number; limit: number }, Aged>(
    `SELECT seq, ${AGED_FROM} AS agedFromMs, CASE WHEN ${AGED_FROM} < @beforeMs THEN bytes END AS bytes FROM record
     WHERE device = @device AND epoch = @epoch AND seq > 0 AND ${IS_NO_KEY} ORDER BY seq LIMIT @limit`,
  );
  const keyBetween = db.prepare<EpochKey & { lastSeq: number; belowSeq: number }, { readonly seq: number | null }>(
    `SELECT min(seq) AS seq FROM record WHERE device = @device AND epoch = @epoch AND ${IS_KEY_BETWEEN}`,
  );
  const keepFrom = db.prepare<RecordKey & { madeAtMs: number }>(
    'UPDATE record SET kept_from_ms = @madeAtMs WHERE device = @device AND epoch = @epoch AND seq = @seq',
  );
  const floorOf = db.prepare<EpochKey, { readonly below_seq: number; readonly statement: Uint8Array }>(
    'SELECT below_seq, statement FROM floor_statement WHERE device = @device AND epoch = @epoch',
  );
  const putFloor = db.prepare<EpochKey & { belowSeq: number; statement: Uint8Array }>(
    `INSERT INTO floor_statement (device, epoch, below_seq, statement) VALUES (@device, @epoch, @belowSeq, @statement)
     ON CONFLICT (device, epoch) DO UPDATE SET below_seq = excluded.below_seq, statement = excluded.statement
     WHERE excluded.below_seq > floor_statement.below_seq`,
  );
  // One statement for each table: per record they would take several times as long.
  const BELOW = `SELECT seq FROM record WHERE device = @device AND epoch = @epoch AND seq > 0 AND seq < @belowSeq
       AND ${IS_NO_KEY} AND ${AGED_FROM} < @beforeMs AND EXISTS (SELECT 1 FROM record AS kept
         WHERE kept.device = @device AND kept.epoch = @epoch AND kept.seq >= @belowSeq)`;
  const deleteMedia = db.prepare<EpochKey & { belowSeq: number; beforeMs: number }>(
    `DELETE FROM media WHERE device = @device AND epoch = @epoch AND seq IN (${BELOW})`,
  );
  const deleteUses = db.prepare<EpochKey & { belowSeq: number; beforeMs: number }>(
    `DELETE FROM period_use WHERE device = @device AND epoch = @epoch AND seq IN (${BELOW})`,
  );
  const deleteRecords = db.prepare<EpochKey & { belowSeq: number; beforeMs: number }>(
    `DELETE FROM record WHERE device = @device AND epoch = @epoch AND seq IN (${BELOW})`,
  );
  // With their records; those that had been deleted before are below the floor now.
  const deleteSegments = db.prepare<EpochKey & { belowSeq: number }>(
    `DELETE FROM segment WHERE device = @device AND epoch = @epoch AND seq < @belowSeq AND NOT EXISTS (SELECT 1 FROM record
       WHERE record.device = segment.device AND record.epoch = segment.epoch AND record.seq = segment.seq)`,
  );
  const spentKeys = db.prepare<EpochKey & { belowSeq: number; beforeMs: number }, { readonly seq: number }>(
    `SELECT seq FROM period AS p JOIN record USING (device, epoch, seq, hash)
     WHERE device = @device AND epoch = @epoch AND seq < @belowSeq AND ${AGED_FROM} < @beforeMs AND ${IS_SPENT_PERIOD}`,
  );
  // The floor explains what they explained.
  const deleteStatements = db.prepare<EpochKey & { belowSeq: number }>(
    `DELETE FROM deletion_statement WHERE device = @device AND epoch = @epoch AND scope = 'range' AND state = 'erased'
       AND to_seq < @belowSeq`,
  );

  function aged(
    beforeMs: number,
    from: ExpiryCursor | null,
    limit: number,
  ): Awaited<ReturnType<RetentionStore['aged']>> {
    const { agedFromMs, id } = from ?? { agedFromMs: -1, id: 0 };
    const found = expired.all({ agedFromMs, id, beforeMs, limit });
    const epochs = new Map(
      found.map(({ device, epoch }) => [epochKey(device, epoch), { device: new Uint8Array(device), epoch }]),
    );
    const last = found.at(-1);
    const next = last === undefined || found.length < limit ? null : { agedFromMs: last.agedFromMs, id: last.id };
    return { epochs: [...epochs.values()], next };
  }

  function expirable({ device, epoch }: EpochKey, { beforeMs, limit, nowMs }: ExpiryLimits): Expirable | null {
    const floorSeq = floorOf.get({ device, epoch })?.below_seq ?? 0;
    const oldest = lowest.all({ device, epoch, beforeMs, limit: limit + 1 });
    const { belowSeq, records, lastSeq, held } = expiryOf(oldest, floorSeq, beforeMs, nowMs);
    for (const { seq, madeAtMs } of held) keepFrom.run({ device, epoch, seq, madeAtMs });
    if (records === 0) return null;
    const keySeq = keyBetween.get({ device, epoch, lastSeq, belowSeq })?.seq ?? null;
    return { device, epoch, belowSeq: keySeq ?? belowSeq, records };
  }

  function expire(floors: readonly Verified<Floor>[], beforeMs: number): number {
    let deleted = 0;
    for (const { value, bytes } of floors) {
      const { device, epoch, belowSeq } = value;
      putFloor.run({ device, epoch, belowSeq, statement: bytes });
      deleteMedia.run({ device, epoch, belowSeq, beforeMs });
      deleteUses.run({ device, epoch, belowSeq, beforeMs });
      deleted += deleteRecords.run({ device, epoch, belowSeq, beforeMs }).changes;
      for (const { seq } of spentKeys.all({ device, epoch, belowSeq, beforeMs })) deleteOne({ device, epoch, seq });
      deleteSegments.run({ device, epoch, belowSeq });
      deleteStatements.run({ device, epoch, belowSeq });
    }
    return deleted;
  }

  return {
    aged: (beforeMs, from, limit) => guard(() => aged(beforeMs, from, limit)),
    // Its signatures are checked outside a transaction, so that other processes may write meanwhile.
    expirable: (at, beforeMs, limit, nowMs = Infinity) => guard(() => expirable(at, { beforeMs, limit, nowMs })),
    expire: (floors, beforeMs) => guard(() => db.transaction(() => expire(floors, beforeMs)).immediate()),
    overdue: (beforeMs, limit) => guard(() => overdue.get({ beforeMs, limit }) ?? { records: 0, oldestMs: null }),
    floor: (device, epoch) =>
      guard(() => {
        const found = floorOf.get({ device, epoch });
        return found === undefined ? undefined : new Uint8Array(found.statement);
      }),
  };
}
