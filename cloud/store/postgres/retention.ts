import { epochKey } from '../../../protocol/objects/ids.js';
import type { Floor } from '../../../protocol/objects/floor.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { expiryOf, type Aged, type ExpiryLimits } from '../expiry.js';
import { IS_KEY_BETWEEN, IS_SPENT_PERIOD } from '../rows.js';
import type { Expirable, ExpiryCursor, Overdue, RetentionStore } from '../statement-store.js';
import type { EpochKey } from '../store.js';
import type { Database, Session } from './database.js';
import { dayOf, type Partitions } from './partitions.js';

interface KeyColumns extends EpochKey {
  readonly seq: number;
  readonly day: number;
}

interface MediaColumns extends EpochKey {
  readonly media_id: Uint8Array;
  readonly day: number;
}

/** From when the retention of the record `k` counts. */
const AGED_FROM = 'coalesce(k.kept_from_ms, k.received_at_ms)';
/** Key records go after everything else, once nothing needs them: they neither hold up the rest nor are overdue. */
const IS_NO_KEY = "k.kind <> 'key'";
/** What is newer than the record `k` in its epoch. */
const NEWER = `SELECT 1 FROM record_key AS newer
  WHERE newer.device = k.device AND newer.epoch = k.epoch AND newer.seq > k.seq AND newer.kind <> 'key'`;
const SELECT_FLOOR = 'SELECT below_seq, statement FROM floor_statement WHERE device = @device AND epoch = @epoch';

/**
 * Keys are deleted row by row, a bounded number per call, so that no transaction is long. Bodies of a day that lies wholly
 * before the time of expiry go with their partition, once no expired key is left in it. What stays of such a day
 * moves to another one first: accepts, heads of epochs, records that are younger than their receive time says, and those behind them.
 */
export function postgresRetention(database: Database, partitions: Partitions): RetentionStore {
  return {
    aged: async (beforeMs, from, limit) => {
      const { agedFromMs, id } = from ?? { agedFromMs: -1, id: 0 };
      const found = await database.rows<EpochKey & ExpiryCursor>(
        `SELECT device, epoch, id, ${AGED_FROM} AS "agedFromMs" FROM record_key AS k
         WHERE seq > 0 AND ${IS_NO_KEY} AND ${AGED_FROM} < @beforeMs AND (${AGED_FROM}, id) > (@agedFromMs, @id)
           AND EXISTS (${NEWER})
         ORDER BY ${AGED_FROM}, id LIMIT @limit`,
        { beforeMs, agedFromMs, id, limit },
      );
      const epochs = new Map(found.map(({ device, epoch }) => [epochKey(device, epoch), { device, epoch }]));
      const last = found.at(-1);
      const next = last === undefined || found.length < limit ? null : { agedFromMs: last.agedFromMs, id: last.id };
      return { epochs: [...epochs.values()], next };
    },
    expirable: (at, beforeMs, limit, nowMs = Infinity) => expiryOfEpoch(database, at, { beforeMs, nowMs, limit }),
    expire: async (floors, beforeMs) => {
      const deleted = floors.length === 0 ? 0 : await deleteBelow(database, floors, beforeMs);
      // Days that are not empty yet are not worth a look after each step.
      if (deleted === 0) await dropDays(database, partitions, beforeMs);
      return deleted;
    },
    overdue: async (beforeMs, limit) => {
      const [found] = await database.rows<Overdue>(
        `SELECT count(*) AS records, min(aged) AS "oldestMs" FROM
           (SELECT ${AGED_FROM} AS aged FROM record_key AS k
            WHERE seq > 0 AND ${IS_NO_KEY} AND ${AGED_FROM} < @beforeMs AND EXISTS (${NEWER})
            ORDER BY ${AGED_FROM}, id LIMIT @limit) AS old`,
        { beforeMs, limit },
      );
      return found ?? { records: 0, oldestMs: null };
    },
    floor: async (device, epoch) => {
      const [found] = await database.rows<{ readonly statement: Uint8Array }>(SELECT_FLOOR, { device, epoch });
      return found?.statement;
    },
  };
}

async function expiryOfEpoch(
  database: Database,
  { device, epoch }: EpochKey,
  { beforeMs, nowMs, limit }: ExpiryLimits,
): Promise<Expirable | null> {
  const [floor] = await database.rows<{ readonly below_seq: number }>(SELECT_FLOOR, { device, epoch });
  // Only what is old is opened. Each body is looked up by its whole key, also where the server has no statistics yet.
  const lowest = await database.rows<Aged>(
    `SELECT k.seq, ${AGED_FROM} AS "agedFromMs", CASE WHEN ${AGED_FROM} < @beforeMs THEN
       (SELECT b.bytes FROM record_body AS b WHERE (b.device, b.epoch, b.seq, b.day) = (k.device, k.epoch, k.seq, k.day))
       END AS bytes
     FROM record_key AS k
     WHERE k.device = @device AND k.epoch = @epoch AND k.seq > 0 AND ${IS_NO_KEY} ORDER BY k.seq LIMIT @limit`,
    { device, epoch, beforeMs, limit: limit + 1 },
  );
  const { belowSeq, records, lastSeq, held } = expiryOf(lowest, floor?.below_seq ?? 0, beforeMs, nowMs);
  for (const { seq, madeAtMs } of held) {
    await database.execute(
      'UPDATE record_key SET kept_from_ms = @madeAtMs WHERE device = @device AND epoch = @epoch AND seq = @seq',
      { device, epoch, seq, madeAtMs },
    );
  }
  if (records === 0) return null;
  const [key] = await database.rows<{ readonly seq: number | null }>(
    `SELECT min(seq) AS seq FROM record_key WHERE device = @device AND epoch = @epoch AND ${IS_KEY_BETWEEN}`,
    { device, epoch, lastSeq, belowSeq },
  );
  return { device, epoch, belowSeq: key?.seq ?? belowSeq, records };
}

function deleteBelow(database: Database, floors: readonly Verified<Floor>[], beforeMs: number): Promise<number> {
  return database.transaction('READ COMMITTED', async (session) => {
    const lists = { ...epochsOf(floors.map(({ value }) => value)), seqs: floors.map(({ value }) => value.belowSeq) };
    await session.execute(
      `INSERT INTO floor_statement (device, epoch, below_seq, statement)
       SELECT * FROM unnest(@devices::bytea[], @epochs::bigint[], @seqs::bigint[], @statements::bytea[])
         AS f (device, epoch, below_seq, statement) ORDER BY device, epoch
       ON CONFLICT (device, epoch) DO UPDATE SET below_seq = excluded.below_seq, statement = excluded.statement
       WHERE excluded.below_seq > floor_statement.below_seq`,
      { ...lists, statements: floors.map(({ bytes }) => Buffer.from(bytes)) },
    );
    const each = 'unnest(@devices::bytea[], @epochs::bigint[], @seqs::bigint[]) AS f (device, epoch, below_seq)';
    const old = await session.rows<KeyColumns>(
      `DELETE FROM record_key AS k USING ${each}
       WHERE k.device = f.device AND k.epoch = f.epoch AND k.seq > 0 AND k.seq < f.below_seq
         AND ${IS_NO_KEY} AND ${AGED_FROM} < @beforeMs AND EXISTS (SELECT 1 FROM record_key AS kept
           WHERE kept.device = f.device AND kept.epoch = f.epoch AND kept.seq >= f.below_seq)
       RETURNING k.device, k.epoch, k.seq, k.day`,
      { ...lists, beforeMs },
    );
    // With their records; those that had been deleted before are below the floor now.
    await session.execute(
      `DELETE FROM segment AS s USING ${each} WHERE s.device = f.device AND s.epoch = f.epoch AND s.seq < f.below_seq
         AND NOT EXISTS (SELECT 1 FROM record_key AS k WHERE k.device = s.device AND k.epoch = s.epoch AND k.seq = s.seq)`,
      lists,
    );
    // The floor explains what they explained.
    await session.execute(
      `DELETE FROM deletion_statement AS d USING ${each} WHERE d.device = f.device AND d.epoch = f.epoch
         AND d.scope = 'range' AND d.state = 'erased' AND d.to_seq < f.below_seq`,
      lists,
    );
    await session.execute(
      `DELETE FROM period_use AS u USING unnest(@devices::bytea[], @epochs::bigint[], @seqs::bigint[]) AS o (device, epoch, seq)
       WHERE u.device = o.device AND u.epoch = o.epoch AND u.seq = o.seq`,
      { ...epochsOf(old), seqs: old.map(({ seq }) => seq) },
    );
    const spent = await session.rows<KeyColumns>(
      `DELETE FROM record_key AS k USING period AS p, ${each}
       WHERE k.device = f.device AND k.epoch = f.epoch AND k.seq < f.below_seq AND ${AGED_FROM} < @beforeMs
         AND p.device = k.device AND p.epoch = k.epoch AND p.seq = k.seq AND p.hash = k.hash AND ${IS_SPENT_PERIOD}
       RETURNING k.device, k.epoch, k.seq, k.day`,
      { ...lists, beforeMs },
    );
    const gone = [...old, ...spent];
    if (gone.length > 0) await deleteBodies(session, gone, dayOf(beforeMs));
    return old.length;
  });
}

/** Deletes the keys of the media, and the bodies that do not go with the partition of an earlier day, each by its whole key. */
async function deleteBodies(session: Session, old: readonly KeyColumns[], fromDay: number): Promise<void> {
  const media = await session.rows<MediaColumns>(
    `DELETE FROM media_key AS k USING unnest(@devices::bytea[], @epochs::bigint[], @seqs::bigint[]) AS o (device, epoch, seq)
     WHERE k.device = o.device AND k.epoch = o.epoch AND k.seq = o.seq
     RETURNING k.device, k.epoch, k.media_id, k.day`,
    { ...epochsOf(old), seqs: old.map(({ seq }) => seq) },
  );
  const bodies = old.filter(({ day }) => day >= fromDay);
  await session.execute(
    `DELETE FROM record_body AS b
     USING unnest(@devices::bytea[], @epochs::bigint[], @seqs::bigint[], @days::integer[]) AS o (device, epoch, seq, day)
     WHERE b.device = o.device AND b.epoch = o.epoch AND b.seq = o.seq AND b.day = o.day`,
    { ...epochsOf(bodies), seqs: bodies.map(({ seq }) => seq), days: bodies.map(({ day }) => day) },
  );
  const pictures = media.filter(({ day }) => day >= fromDay);
  await session.execute(
    `DELETE FROM media_body AS b
     USING unnest(@devices::bytea[], @epochs::bigint[], @ids::bytea[], @days::integer[]) AS o (device, epoch, media_id, day)
     WHERE b.device = o.device AND b.epoch = o.epoch AND b.media_id = o.media_id AND b.day = o.day`,
    {
      ...epochsOf(pictures),
      ids: pictures.map(({ media_id }) => Buffer.from(media_id)),
      days: pictures.map(({ day }) => day),
    },
  );
}

/** Returns the first two columns of rows, as a statement takes them. */
function epochsOf(rows: readonly EpochKey[]): {
  readonly devices: readonly Buffer[];
  readonly epochs: readonly number[];
} {
  return { devices: rows.map(({ device }) => Buffer.from(device)), epochs: rows.map(({ epoch }) => epoch) };
}

async function dropDays(database: Database, partitions: Partitions, beforeMs: number): Promise<void> {
  await partitions.ensureForBodies(beforeMs);
  const days = await partitions.days('record_body');
  // What stays moves to the newest day, so that it moves once per retention time and not daily. A process that was killed
  // between two partitions has left a day that only one table has.
  const whole = new Set(await partitions.days('media_body'));
  const newest = days.filter((day) => whole.has(day)).at(-1) ?? dayOf(beforeMs);
  for (const day of days) {
    if (day < dayOf(beforeMs)) await dropDay(database, partitions, day, { to: newest, beforeMs });
  }
}

async function dropDay(
  database: Database,
  partitions: Partitions,
  day: number,
  { to, beforeMs }: { readonly to: number; readonly beforeMs: number },
): Promise<void> {
  const isEmptied = await database.transaction('SERIALIZABLE', async (session) => {
    const left = await session.rows(
      `SELECT 1 FROM record_key AS k
       WHERE day = @day AND k.seq > 0 AND ${IS_NO_KEY} AND ${AGED_FROM} < @beforeMs AND EXISTS (${NEWER})
         AND NOT EXISTS (SELECT 1 FROM record_key AS kept
           WHERE kept.device = k.device AND kept.epoch = k.epoch AND kept.seq > 0 AND kept.seq < k.seq
             AND kept.kind <> 'key'
             AND coalesce(kept.kept_from_ms, kept.received_at_ms) >= @beforeMs) LIMIT 1`,
      { day, beforeMs },
    );
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
