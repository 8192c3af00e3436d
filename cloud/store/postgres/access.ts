import { accessEntry, accessLine, DAY_MS, IS_LOOK, LOOK_COLUMNS, lookColumns, type AccessColumns } from '../rows.js';
import type { AccessStore, AccessSummary } from '../store.js';
import { isRefusedData, type Database } from './database.js';
import type { Partitions } from './partitions.js';
import { tuples } from './statements.js';

/** Lines of one INSERT: eleven values each, and the protocol allows 65,535 values in a statement. */
const LINES_PER_STATEMENT = 1000;
/** An operator's query over months may run this long. */
const AFFECTED_TIMEOUT_MS = 1_800_000;

/** The protocol's rule for account ids, applied to the key in access.reader. */
const READER_ACCOUNT = "substring(sha256(convert_to('sealcam/account/v1', 'UTF8') || access.reader) FROM 1 FOR 16)";

export function postgresAccess(database: Database, partitions: Partitions): AccessStore {
  return {
    append: async (entries) => {
      for (const atMs of new Set(entries.map((entry) => entry.atMs))) await partitions.ensureForAccess(atMs);
      const write = database.transaction('READ COMMITTED', async (session) => {
        for (let i = 0; i < entries.length; i += LINES_PER_STATEMENT) {
          const { text, values } = tuples(
            ['bigint', 'bytea', 'bytea', 'bigint', 'text', 'bigint', 'bigint', 'bytea', 'bytea', 'bigint', 'bigint'],
            entries
              .slice(i, i + LINES_PER_STATEMENT)
              .map((entry) => [
                entry.atMs,
                entry.reader,
                entry.device,
                entry.epoch,
                entry.what,
                entry.fromSeq,
                entry.toSeq,
                entry.mediaId,
                ...lookColumns(entry),
              ]),
          );
          await session.execute(
            `INSERT INTO access (at_ms, reader, device, epoch, what, from_seq, to_seq, media_id, ${LOOK_COLUMNS})
             VALUES ${text}`,
            values,
          );
        }
      });
      await write.catch((error: unknown) => {
        // An archive run may have dropped the partition of a day long ago; the next line makes it again.
        if (isRefusedData(error)) partitions.forget();
        throw error;
      });
    },
    ofReadable: async (key, limit, of) => {
      const accounts = of?.map((account) => Buffer.from(account)) ?? null;
      const rows = await database.rows<AccessColumns>(
        `SELECT access.* FROM access JOIN member USING (device, epoch) WHERE member.key = @key
           AND (@accounts::bytea[] IS NULL OR member.account = ANY(@accounts::bytea[]))
         ORDER BY access.id DESC LIMIT @limit`,
        { key, limit, accounts },
      );
      return rows.map(accessEntry);
    },
    affected: (device, sinceMs, untilMs, account = null) =>
      database.transaction('READ COMMITTED', async (session) => {
        await session.execute(`SET LOCAL statement_timeout = ${String(AFFECTED_TIMEOUT_MS)}`);
        return session.rows<AccessSummary>(
          `SELECT * FROM (SELECT access.reader, ${READER_ACCOUNT} AS "readerAccount", access.device, access.epoch,
             claim.account,
             CASE
               WHEN claim.account = ${READER_ACCOUNT} THEN 'owner'
               WHEN EXISTS (SELECT 1 FROM member WHERE member.key = access.reader
                 AND member.device = access.device AND member.epoch = access.epoch) THEN 'member'
               WHEN claim.account IS NOT NULL AND claim.claim IS NULL THEN 'unknown'
               ELSE 'neither'
             END AS relation,
             count(*) AS reads, count(*) FILTER (WHERE what = 'records') AS records,
             count(*) FILTER (WHERE what = 'stream') AS stream, count(*) FILTER (WHERE what = 'media') AS media,
             count(*) FILTER (WHERE what = 'export') AS exports, count(*) FILTER (WHERE ${IS_LOOK}) AS looks,
             count(*) FILTER (WHERE what = 'push') AS pushes,
             count(DISTINCT media_id) AS "mediaObjects",
             min(from_seq) AS "fromSeq", max(to_seq) AS "toSeq", min(at_ms) AS "firstMs", max(at_ms) AS "lastMs"
           FROM access LEFT JOIN claim USING (device, epoch)
           WHERE at_ms >= @sinceMs AND at_ms < @untilMs AND (@device::bytea IS NULL OR access.device = @device)
             AND (@account::bytea IS NULL OR claim.account = @account OR ${READER_ACCOUNT} = @account)
           GROUP BY access.reader, access.device, access.epoch, claim.account, claim.claim) AS found
           ORDER BY relation <> 'neither', device, epoch, reader`,
          { sinceMs, untilMs, device, account },
        );
      }),
    lines: async (fromMs, untilMs, after, limit) => {
      const { atMs, id } = after ?? { atMs: fromMs, id: -1 };
      const rows = await database.rows<AccessColumns>(
        `SELECT * FROM access WHERE at_ms >= @fromMs AND at_ms < @untilMs AND at_ms >= @atMs AND (at_ms, id) > (@atMs, @id)
         ORDER BY at_ms, id LIMIT @limit`,
        { fromMs, untilMs, atMs, id, limit },
      );
      return rows.map(accessLine);
    },
    oldestMs: async () => {
      const [row] = await database.rows<{ readonly ms: number | null }>('SELECT min(at_ms) AS ms FROM access');
      return row?.ms ?? null;
    },
    noteArchived: async (day) => {
      await database.execute('INSERT INTO access_archive (day) VALUES (@day) ON CONFLICT DO NOTHING', { day });
      await partitions.dropEmptyAccess(day * DAY_MS);
    },
    removeArchived: async (day, ids) => {
      await database.execute(
        'DELETE FROM access WHERE at_ms >= @fromMs AND at_ms < @untilMs AND id = ANY(@ids::bigint[])',
        { fromMs: day * DAY_MS, untilMs: (day + 1) * DAY_MS, ids },
      );
    },
    archivedUntilMs: async () => {
      const [row] = await database.rows<{ readonly day: number | null }>('SELECT max(day) AS day FROM access_archive');
      const day = row?.day ?? null;
      return day === null ? null : (day + 1) * DAY_MS;
    },
  };
}
