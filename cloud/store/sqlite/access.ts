import { nodeSuite } from '../../../protocol/crypto/node.js';
import { accountId } from '../../../protocol/objects/ids.js';
import { accessEntry, type AccessColumns } from '../rows.js';
import type { AccessStore, AccessSummary } from '../store.js';
import type { Database } from './database.js';

type Guard = <T>(run: () => T) => Promise<T>;

interface SummaryColumns extends Pick<AccessColumns, 'reader' | 'device' | 'epoch' | 'from_seq' | 'to_seq'> {
  readonly reader_account: Uint8Array;
  readonly relation: AccessSummary['relation'];
  readonly account: Uint8Array | null;
  readonly reads: number;
  readonly records: number;
  readonly stream: number;
  readonly media: number;
  readonly exports: number;
  readonly media_objects: number;
  readonly first: number;
  readonly last: number;
}

function summary(row: SummaryColumns): AccessSummary {
  const { reader, reader_account, relation, account, device, epoch, reads, records, stream, media, exports } = row;
  return {
    relation,
    epoch,
    reads,
    records,
    stream,
    media,
    exports,
    reader: new Uint8Array(reader),
    readerAccount: new Uint8Array(reader_account),
    account: account === null ? null : new Uint8Array(account),
    device: new Uint8Array(device),
    mediaObjects: row.media_objects,
    fromSeq: row.from_seq,
    toSeq: row.to_seq,
    firstMs: row.first,
    lastMs: row.last,
  };
}

export function sqliteAccess(db: Database, guard: Guard): AccessStore {
  const insert = db.prepare(
    `INSERT INTO access (at_ms, reader, device, epoch, what, from_seq, to_seq, media_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const readable = db.prepare<unknown[], AccessColumns>(
    `SELECT access.* FROM access JOIN member USING (device, epoch) WHERE member.key = ? ORDER BY access.id DESC LIMIT ?`,
  );
  // The camera's own rule for an account; a SQL server computes it with its sha256().
  db.function('account_of', { deterministic: true, directOnly: true }, (key) =>
    key instanceof Uint8Array ? Buffer.from(accountId(nodeSuite, key)) : null,
  );
  const affected = db.prepare<unknown[], SummaryColumns>(
    `SELECT access.reader, account_of(access.reader) AS reader_account, access.device, access.epoch, claim.account,
       CASE
         WHEN claim.account = account_of(access.reader) THEN 'owner'
         WHEN EXISTS (SELECT 1 FROM member WHERE member.key = access.reader
           AND member.device = access.device AND member.epoch = access.epoch) THEN 'member'
         WHEN claim.account IS NOT NULL AND claim.claim IS NULL THEN 'unknown'
         ELSE 'neither'
       END AS relation,
       count(*) AS reads, sum(what = 'records') AS records, sum(what = 'stream') AS stream,
       sum(what = 'media') AS media, sum(what = 'export') AS exports, count(DISTINCT media_id) AS media_objects,
       min(from_seq) AS from_seq, max(to_seq) AS to_seq, min(at_ms) AS first, max(at_ms) AS last
     FROM access LEFT JOIN claim USING (device, epoch)
     WHERE at_ms >= :since AND at_ms < :until AND (:device IS NULL OR access.device = :device)
       AND (:account IS NULL OR claim.account = :account OR account_of(access.reader) = :account)
     GROUP BY access.reader, access.device, access.epoch
     ORDER BY relation <> 'neither', access.device, access.epoch, access.reader`,
  );
  return {
    append: (entries) =>
      guard(() => {
        db.transaction(() => {
          for (const { atMs, reader, device, epoch, what, fromSeq, toSeq, mediaId } of entries) {
            insert.run(atMs, reader, device, epoch, what, fromSeq, toSeq, mediaId);
          }
        }).immediate();
      }),
    ofReadable: (key, limit) => guard(() => readable.all(key, limit).map(accessEntry)),
    affected: (device, sinceMs, untilMs, account = null) =>
      guard(() => affected.all({ device, account, since: sinceMs, until: untilMs }).map(summary)),
  };
}
