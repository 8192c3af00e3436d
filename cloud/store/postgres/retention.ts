import { divideExpired, type Expired } from '../signed-time.js';
import type { RecordStore } from '../store.js';
import type { Database, Session } from './database.js';
import { dayOf, type Partitions } from './partitions.js';
import { tuples } from './statements.js';

/** Rows `k` that have expired: see `expire` of RecordStore. */
const IS_EXPIRED = `coalesce(k.kept_from_ms, k.received_at_ms) < @beforeMs
  AND EXISTS (SELECT 1 FROM record_key AS newer
    WHERE newer.device = k.device AND newer.epoch = k.epoch AND newer.seq > k.seq)
  AND NOT EXISTS (SELECT 1 FROM record_key AS kept
    WHERE kept.device = k.device AND kept.epoch = k.epoch AND kept.seq < k.seq
      AND coalesce(kept.kept_from_ms, kept.received_at_ms) >= @beforeMs)`;

export function postgresRetention(
  database: Database,
  partitions: Partitions,
): Pick<RecordStore, 'expire' | 'correctTimes' | 'keepLonger'> {
  return {
    expire: (beforeMs, limit, nowMs = Infinity) => expire(database, partitions, { beforeMs, limit, nowMs }),
    correctTimes: (laterThanMs, nowMs, limit) =>
      database.execute(
        `UPDATE record_key SET received_at_ms = least(received_at_ms, @nowMs),
           kept_from_ms = CASE WHEN kept_from_ms > @nowMs THEN @nowMs ELSE kept_from_ms END
         WHERE (device, epoch, seq) IN (SELECT device, epoch, seq FROM record_key
           WHERE coalesce(kept_from_ms, received_at_ms) > @laterThanMs LIMIT @limit FOR UPDATE SKIP LOCKED)`,
        { laterThanMs, nowMs, limit },
      ),
    keepLonger: async (fromMs, toMs, byMs) => {
      await database.execute(
        `UPDATE record_key SET kept_from_ms = received_at_ms + @byMs::bigint
         WHERE received_at_ms BETWEEN @fromMs AND @toMs AND kept_from_ms IS NULL`,
        { fromMs, toMs, byMs },
      );
    },
  };
}

interface Limits {
  readonly beforeMs: number;
  readonly limit: number;
  readonly nowMs: number;
}

/**
 * Keys are deleted row by row, a bounded number per call, so that no transaction is long. Bodies of a day that lies wholly
 * before `beforeMs` go with their partition, once no expired key is left in it. What stays of such a day moves to another
 * one first: the heads of epochs, and records that are younger than their receive time says.
 */
async function expire(database: Database, partitions: Partitions, limits: Limits): Promise<number> {
  const { beforeMs, limit } = limits;
  let deleted = 0;
  while (deleted < limit) {
    const batch = { ...limits, limit: limit - deleted };
    const { seen, gone } = await database.transaction('READ COMMITTED', (session) => deleteExpired(session, batch));
    deleted += gone;
    if (seen < batch.limit) break;
  }
  if (deleted >= limit) return deleted;
  await partitions.ensureForBodies(beforeMs);
  const days = await partitions.days();
  // What stays moves to the newest day, so that it moves once per retention time and not daily.
  const newest = days.at(-1) ?? dayOf(beforeMs);
  for (const day of days) {
    if (day < dayOf(beforeMs) && (await emptyDay(database, day, newest, beforeMs))) await partitions.dropDay(day);
  }
  return deleted;
}

/** Deletes expired records. Returns how many were looked at, and how many are gone. */
async function deleteExpired(session: Session, limits: Limits): Promise<{ seen: number; gone: number }> {
  const { beforeMs, limit, nowMs } = limits;
  const rows = await session.rows<Expired>(
    `SELECT k.device, k.epoch, k.seq, b.bytes
     FROM record_key AS k LEFT JOIN record_body AS b USING (device, epoch, seq, day) WHERE ${IS_EXPIRED}
     ORDER BY coalesce(k.kept_from_ms, k.received_at_ms), k.seq LIMIT @limit FOR UPDATE OF k SKIP LOCKED`,
    { beforeMs, limit },
  );
  const { due, held } = divideExpired(rows, beforeMs, nowMs);
  for (const { record, madeAtMs } of held) {
    const { device, epoch, seq } = record;
    await session.execute(
      'UPDATE record_key SET kept_from_ms = @madeAtMs WHERE device = @device AND epoch = @epoch AND seq = @seq',
      { device, epoch, seq, madeAtMs },
    );
  }
  if (due.length > 0) await deleteRecords(session, due, dayOf(beforeMs));
  return { seen: rows.length, gone: due.length };
}

/** Deletes records by their keys. Bodies of days before `day` go with their partition. */
async function deleteRecords(session: Session, records: readonly Expired[], day: number): Promise<void> {
  const { text, values } = tuples(
    ['bytea', 'bigint', 'bigint'],
    records.map(({ device, epoch, seq }) => [device, epoch, seq]),
  );
  const keys = `(VALUES ${text})`;
  const fromDay = `$${String(values.length + 1)}`;
  const valuesWithDay = [...values, day];
  await session.execute(`DELETE FROM record_key WHERE (device, epoch, seq) IN ${keys}`, values);
  await session.execute(
    `DELETE FROM record_body WHERE (device, epoch, seq) IN ${keys} AND day >= ${fromDay}`,
    valuesWithDay,
  );
  await session.execute(
    `DELETE FROM media_body USING media_key AS k WHERE (k.device, k.epoch, k.seq) IN ${keys} AND k.day >= ${fromDay}
       AND media_body.day = k.day AND media_body.device = k.device AND media_body.epoch = k.epoch
       AND media_body.media_id = k.media_id`,
    valuesWithDay,
  );
  await session.execute(`DELETE FROM media_key WHERE (device, epoch, seq) IN ${keys}`, values);
}

/** Moves what stays of a day to another one. Returns false where expired records are left. */
function emptyDay(database: Database, day: number, to: number, beforeMs: number): Promise<boolean> {
  return database.transaction('SERIALIZABLE', async (session) => {
    const left = await session.rows(`SELECT 1 FROM record_key AS k WHERE day = @day AND ${IS_EXPIRED} LIMIT 1`, {
      day,
      beforeMs,
    });
    if (left.length > 0) return false;
    await session.execute(
      `INSERT INTO record_body (day, device, epoch, seq, bytes) SELECT @to, device, epoch, seq, bytes
       FROM record_key AS k JOIN record_body AS b USING (device, epoch, seq, day) WHERE k.day = @day`,
      { day, to },
    );
    await session.execute(
      `INSERT INTO media_body (day, device, epoch, media_id, header, body)
       SELECT @to, device, epoch, media_id, header, body
       FROM media_key AS k JOIN media_body AS b USING (device, epoch, media_id, day) WHERE k.day = @day`,
      { day, to },
    );
    await session.execute('UPDATE record_key SET day = @to WHERE day = @day', { day, to });
    await session.execute('UPDATE media_key SET day = @to WHERE day = @day', { day, to });
    return true;
  });
}
