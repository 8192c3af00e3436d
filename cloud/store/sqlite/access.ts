import { toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { accountId } from '../../../protocol/objects/ids.js';
import {
  accessEntry,
  accessLine,
  bytesOrNull,
  DAY_MS,
  IS_LOOK,
  LOOK_COLUMNS,
  lookColumns,
  type AccessColumns,
} from '../rows.js';
import type { AccessCursor, AccessEntry, AccessStore, AccessSummary } from '../store.js';
import type { Database, Guard } from './database.js';

interface SummaryColumns extends Pick<AccessColumns, 'reader' | 'device' | 'epoch' | 'from_seq' | 'to_seq'> {
  readonly reader_account: Uint8Array;
  readonly relation: AccessSummary['relation'];
  readonly account: Uint8Array | null;
  readonly reads: number;
  readonly records: number;
  readonly stream: number;
  readonly media: number;
  readonly exports: number;
  readonly looks: number;
  readonly pushes: number;
  readonly media_objects: number;
  readonly first: number;
  readonly last: number;
}

interface AffectedParams {
  readonly device: Uint8Array | null;
  readonly account: Uint8Array | null;
  readonly since: number;
  readonly until: number;
}

function accessSummary(columns: SummaryColumns): AccessSummary {
  return {
    reader: new Uint8Array(columns.reader),
    readerAccount: new Uint8Array(columns.reader_account),
    relation: columns.relation,
    account: bytesOrNull(columns.account),
    device: new Uint8Array(columns.device),
    epoch: columns.epoch,
    reads: columns.reads,
    records: columns.records,
    stream: columns.stream,
    media: columns.media,
    exports: columns.exports,
    looks: columns.looks,
    pushes: columns.pushes,
    mediaObjects: columns.media_objects,
    fromSeq: columns.from_seq,
    toSeq: columns.to_seq,
    firstMs: columns.first,
    lastMs: columns.last,
  };
}

export function sqliteAccess(db: Database, guard: Guard): AccessStore {
  const insert = db.prepare<[AccessEntry, ...ReturnType<typeof lookColumns>]>(
    `INSERT INTO access (at_ms, reader, device, epoch, what, from_seq, to_seq, media_id, ${LOOK_COLUMNS})
     VALUES (@atMs, @reader, @device, @epoch, @what, @fromSeq, @toSeq, @mediaId, ?, ?, ?)`,
  );
  const readable = db.prepare<{ key: Uint8Array; limit: number; accounts: string | null }, AccessColumns>(
    `SELECT access.* FROM access JOIN member USING (device, epoch) WHERE member.key = @key
       AND (@accounts IS NULL OR hex(member.account) IN (SELECT value FROM json_each(@accounts)))
     ORDER BY access.id DESC LIMIT @limit`,
  );
  // The protocol's rule for account ids. PostgreSQL computes the same with its own sha256().
  db.function('account_of', { deterministic: true, directOnly: true }, (key) =>
    key instanceof Uint8Array ? Buffer.from(accountId(nodeSuite, key)) : null,
  );
  const affected = db.prepare<AffectedParams, SummaryColumns>(
    `SELECT access.reader, account_of(access.reader) AS reader_account, access.device, access.epoch, claim.account,
       CASE
         WHEN claim.account = account_of(access.reader) THEN 'owner'
         WHEN EXISTS (SELECT 1 FROM member WHERE member.key = access.reader
           AND member.device = access.device AND member.epoch = access.epoch) THEN 'member'
         WHEN claim.account IS NOT NULL AND claim.claim IS NULL THEN 'unknown'
         ELSE 'neither'
       END AS relation,
       count(*) AS reads, sum(what = 'records') AS records, sum(what = 'stream') AS stream,
       sum(what = 'media') AS media, sum(what = 'export') AS exports, sum(${IS_LOOK}) AS looks, sum(what = 'push') AS pushes, count(DISTINCT media_id) AS media_objects,
       min(from_seq) AS from_seq, max(to_seq) AS to_seq, min(at_ms) AS first, max(at_ms) AS last
     FROM access LEFT JOIN claim USING (device, epoch)
     WHERE at_ms >= @since AND at_ms < @until AND (@device IS NULL OR access.device = @device)
       AND (@account IS NULL OR claim.account = @account OR account_of(access.reader) = @account)
     GROUP BY access.reader, access.device, access.epoch
     ORDER BY relation <> 'neither', access.device, access.epoch, access.reader`,
  );
  const lines = db.prepare<AccessCursor & { fromMs: number; untilMs: number; limit: number }, AccessColumns>(
    `SELECT * FROM access WHERE at_ms >= @fromMs AND at_ms < @untilMs AND at_ms >= @atMs AND (at_ms > @atMs OR id > @id)
     ORDER BY at_ms, id LIMIT @limit`,
  );
  const oldest = db.prepare<[], { readonly ms: number | null }>('SELECT min(at_ms) AS ms FROM access');
  const note = db.prepare<{ day: number }>('INSERT OR IGNORE INTO access_archive (day) VALUES (@day)');
  const remove = db.prepare<{ id: number; fromMs: number }>(
    `DELETE FROM access WHERE id = @id AND at_ms >= @fromMs AND at_ms < @fromMs + ${String(DAY_MS)}`,
  );
  const lastNoted = db.prepare<[], { readonly day: number | null }>('SELECT max(day) AS day FROM access_archive');
  return {
    append: (entries) =>
      guard(() => {
        db.transaction(() => {
          for (const entry of entries) insert.run(entry, ...lookColumns(entry));
        }).immediate();
      }),
    ofReadable: (key, limit, of) =>
      guard(() => {
        const accounts = of === undefined ? null : JSON.stringify(of.map((account) => toHex(account).toUpperCase()));
        return readable.all({ key, limit, accounts }).map(accessEntry);
      }),
    affected: (device, since, until, account = null) =>
      guard(() => affected.all({ device, account, since, until }).map(accessSummary)),
    lines: (fromMs, untilMs, after, limit) =>
      guard(() => {
        const { atMs, id } = after ?? { atMs: fromMs, id: -1 };
        return lines.all({ fromMs, untilMs, atMs, id, limit }).map(accessLine);
      }),
    oldestMs: () => guard(() => oldest.get()?.ms ?? null),
    noteArchived: (day) => guard(() => void note.run({ day })),
    removeArchived: (day, ids) =>
      guard(() => {
        db.transaction(() => {
          for (const id of ids) remove.run({ id, fromMs: day * DAY_MS });
        }).immediate();
      }),
    archivedUntilMs: () =>
      guard(() => {
        const day = lastNoted.get()?.day ?? null;
        return day === null ? null : (day + 1) * DAY_MS;
      }),
  };
}
