import type { Database } from './database.js';
import { dayOf, type Partitions } from './partitions.js';
import { tuples } from './statements.js';

interface KeyColumns {
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly seq: number;
}

/**
 * Deletes up to `limit` records received before `beforeMs`, and returns how many. Keys are deleted row by row, a bounded
 * number per call, so that no transaction is long. Bodies of a day that lies wholly before `beforeMs` go with their
 * partition, once no key but the heads of epochs is left in it; the heads move to another day first.
 */
export async function expire(
  database: Database,
  partitions: Partitions,
  beforeMs: number,
  limit: number,
): Promise<number> {
  const deleted = await deleteOld(database, beforeMs, limit);
  if (deleted >= limit) return deleted;
  await partitions.ensureForBodies(beforeMs);
  const days = await partitions.days();
  // Heads move to the newest day, so that each moves once per retention time and not daily.
  const newest = days.at(-1) ?? dayOf(beforeMs);
  for (const day of days) {
    if (day < dayOf(beforeMs)) await dropDay(database, partitions, day, newest);
  }
  return deleted;
}

/** Deletes old records but the newest of each epoch: it is the head that an owner's page holds the cloud to. */
function deleteOld(database: Database, beforeMs: number, limit: number): Promise<number> {
  return database.transaction('READ COMMITTED', async (session) => {
    const old = await session.rows<KeyColumns>(
      `DELETE FROM record_key WHERE (device, epoch, seq) IN (
         SELECT device, epoch, seq FROM record_key AS old WHERE received_at_ms < @beforeMs AND EXISTS
           (SELECT 1 FROM record_key AS newer
            WHERE newer.device = old.device AND newer.epoch = old.epoch AND newer.seq > old.seq)
         ORDER BY received_at_ms LIMIT @limit FOR UPDATE SKIP LOCKED)
       RETURNING device, epoch, seq`,
      { beforeMs, limit },
    );
    if (old.length === 0) return 0;
    const { text, values } = tuples(
      ['bytea', 'bigint', 'bigint'],
      old.map(({ device, epoch, seq }) => [device, epoch, seq]),
    );
    const keys = `(VALUES ${text})`;
    const day = `$${String(values.length + 1)}`;
    // Bodies of earlier days go with their partition.
    const valuesWithDay = [...values, dayOf(beforeMs)];
    await session.execute(
      `DELETE FROM record_body WHERE (device, epoch, seq) IN ${keys} AND day >= ${day}`,
      valuesWithDay,
    );
    await session.execute(
      `DELETE FROM media_body USING media_key AS k WHERE (k.device, k.epoch, k.seq) IN ${keys} AND k.day >= ${day}
         AND media_body.day = k.day AND media_body.device = k.device AND media_body.epoch = k.epoch
         AND media_body.media_id = k.media_id`,
      valuesWithDay,
    );
    await session.execute(`DELETE FROM media_key WHERE (device, epoch, seq) IN ${keys}`, values);
    return old.length;
  });
}

async function dropDay(database: Database, partitions: Partitions, day: number, to: number): Promise<void> {
  const isEmptied = await database.transaction('SERIALIZABLE', async (session) => {
    const isHead = `NOT EXISTS (SELECT 1 FROM record_key AS newer
      WHERE newer.device = k.device AND newer.epoch = k.epoch AND newer.seq > k.seq)`;
    const left = await session.rows(`SELECT 1 FROM record_key AS k WHERE day = @day AND NOT ${isHead} LIMIT 1`, {
      day,
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
  if (isEmptied) await partitions.dropDay(day);
}
