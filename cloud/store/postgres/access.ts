import { accessEntry, type AccessColumns } from '../rows.js';
import type { AccessStore, AccessSummary } from '../store.js';
import { tuples, type Database } from './database.js';
import type { Partitions } from './partitions.js';

/** So that a statement stays below the 65,535 values that the protocol takes. */
const LINES_AT_ONCE = 1000;
/** An operator's question of months may take its time. */
const QUESTION_TIMEOUT_MS = 1_800_000;

/** The camera's own rule for an account, of the key in access.reader. */
const READER_ACCOUNT = "substring(sha256(convert_to('sealcam/account/v1', 'UTF8') || access.reader) FROM 1 FOR 16)";

export function postgresAccess(database: Database, partitions: Partitions): AccessStore {
  return {
    append: async (entries) => {
      for (const atMs of new Set(entries.map((entry) => entry.atMs))) await partitions.forAccess(atMs);
      await database.transaction('READ COMMITTED', async (session) => {
        for (let i = 0; i < entries.length; i += LINES_AT_ONCE) {
          const { text, values } = tuples(
            ['bigint', 'bytea', 'bytea', 'bigint', 'text', 'bigint', 'bigint', 'bytea'],
            entries
              .slice(i, i + LINES_AT_ONCE)
              .map((one) => [
                one.atMs,
                one.reader,
                one.device,
                one.epoch,
                one.what,
                one.fromSeq,
                one.toSeq,
                one.mediaId,
              ]),
          );
          await session.execute(
            `INSERT INTO access (at_ms, reader, device, epoch, what, from_seq, to_seq, media_id) VALUES ${text}`,
            values,
          );
        }
      });
    },
    ofReadable: async (key, limit) => {
      const rows = await database.rows<AccessColumns>(
        `SELECT access.* FROM access JOIN member USING (device, epoch)
         WHERE member.key = $1 ORDER BY access.id DESC LIMIT $2`,
        [key, limit],
      );
      return rows.map(accessEntry);
    },
    affected: async (device, sinceMs, untilMs, account = null) =>
      database.transaction('READ COMMITTED', async (session) => {
        await session.execute(`SET LOCAL statement_timeout = ${String(QUESTION_TIMEOUT_MS)}`);
        return session.rows<AccessSummary>(
          `SELECT * FROM (SELECT access.reader, ${READER_ACCOUNT} AS "readerAccount", access.device, access.epoch, claim.account,
             CASE
               WHEN claim.account = ${READER_ACCOUNT} THEN 'owner'
               WHEN EXISTS (SELECT 1 FROM member WHERE member.key = access.reader
                 AND member.device = access.device AND member.epoch = access.epoch) THEN 'member'
               WHEN claim.account IS NOT NULL AND claim.claim IS NULL THEN 'unknown'
               ELSE 'neither'
             END AS relation,
             count(*) AS reads, count(*) FILTER (WHERE what = 'records') AS records,
             count(*) FILTER (WHERE what = 'stream') AS stream, count(*) FILTER (WHERE what = 'media') AS media,
             count(*) FILTER (WHERE what = 'export') AS exports, count(DISTINCT media_id) AS "mediaObjects",
             min(from_seq) AS "fromSeq", max(to_seq) AS "toSeq", min(at_ms) AS "firstMs", max(at_ms) AS "lastMs"
           FROM access LEFT JOIN claim USING (device, epoch)
           WHERE at_ms >= $1 AND at_ms < $2 AND ($3::bytea IS NULL OR access.device = $3)
             AND ($4::bytea IS NULL OR claim.account = $4 OR ${READER_ACCOUNT} = $4)
           GROUP BY access.reader, access.device, access.epoch, claim.account, claim.claim) AS found
           ORDER BY relation <> 'neither', device, epoch, reader`,
          [sinceMs, untilMs, device, account],
        );
      }),
  };
}
