import { createHash } from 'node:crypto';
import Sqlite from 'better-sqlite3';
import { queryDirectly } from '../../support/engines/postgres.js';

/**
 * A store of `records` records: one camera with a third of them, twenty with a third, and beside these a camera whose
 * owner deleted all but the accept and one record in a thousand.
 */
export interface Filled {
  readonly reader: Uint8Array;
  readonly busy: Uint8Array;
  readonly deleted: Uint8Array;
  readonly quiet: readonly Uint8Array[];
  /** Highest seq of the busy camera and of the one with the deletion. */
  readonly highest: number;
}

const QUIET_CAMERAS = 20;
const DAY_MS = 86_400_000;
const BYTES = 400;

export interface FillSettings {
  readonly records: number;
  readonly nowMs: number;
}

function idOf(name: string): Buffer {
  return createHash('sha256').update(name).digest();
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function filled({ records }: FillSettings): Filled {
  return {
    reader: idOf('reader'),
    busy: idOf('busy'),
    deleted: idOf('deleted'),
    quiet: Array.from({ length: QUIET_CAMERAS }, (_, i) => idOf(`quiet ${String(i)}`)),
    highest: Math.floor(records / 3) - 1,
  };
}

/** Id of the media object that the record of this seq brought; every fourth record has one. */
export function mediaIdOf(seq: number): Uint8Array {
  return Buffer.from(seq.toString(16).padStart(32, '0'), 'hex');
}

/** The cameras with the number of their records. */
function cameras(settings: FillSettings): readonly (readonly [Uint8Array, number])[] {
  const { busy, deleted, quiet, highest } = filled(settings);
  const each = Math.max(10, Math.floor((highest + 1) / quiet.length));
  return [[busy, highest + 1], [deleted, highest + 1], ...quiet.map((device) => [device, each] as const)];
}

/** Fills an empty SQLite store past its interface. */
export function fillSqlite(path: string, settings: FillSettings): void {
  const db = new Sqlite(path);
  const { reader, deleted, highest } = filled(settings);
  const account = idOf('account').subarray(0, 16);
  db.pragma('synchronous = OFF');
  db.transaction(() => {
    for (const [device, count] of cameras(settings)) {
      db.prepare("INSERT INTO claim VALUES (?, 1, ?, ?, ?, 'open', NULL, 0, 1)").run(device, account, device, device);
      db.prepare('INSERT INTO member (key, device, epoch, account) VALUES (?, ?, 1, ?)').run(reader, device, account);
      db.prepare('INSERT INTO status VALUES (?, 1, ?, 0)').run(device, 'x');
      db.prepare(
        `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < @count - 1)
         INSERT INTO record (device, epoch, seq, hash, kind, bytes, received_at_ms)
         SELECT @device, 1, i, randomblob(32), CASE WHEN i % 10 = 5 THEN 'health' ELSE 'motion' END, randomblob(${String(BYTES)}),
           @fromMs + i FROM n WHERE i % 50 <> 49`,
      ).run({ device, count, fromMs: settings.nowMs - DAY_MS });
      db.prepare(
        `INSERT INTO media SELECT device, 1, unhex(printf('%032x', seq)), seq, randomblob(100), randomblob(500)
         FROM record WHERE device = ? AND seq % 4 = 0`,
      ).run(device);
      // Each hole is signed.
      db.prepare(
        `WITH RECURSIVE n (i) AS (SELECT 49 UNION ALL SELECT i + 50 FROM n WHERE i < @count - 50)
         INSERT INTO loss SELECT @device, 1, i, i FROM n`,
      ).run({ device, count });
    }
    db.prepare(
      `INSERT INTO deletion_statement (device, epoch, hash, from_seq, to_seq, statement, account, scope, state, erase_at_ms)
       VALUES (?, 1, ?, 11, ?, ?, ?, 'range', 'marked', ?)`,
    ).run(deleted, deleted, highest, deleted, account, settings.nowMs);
    db.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
       INSERT INTO quarantine (at_ms, device, verdict, reason, bytes) SELECT i, NULL, 'foreign', 'x', randomblob(300) FROM n`,
    ).run();
  })();
  db.close();
}

/** Fills an empty PostgreSQL store past its interface, and lets the server learn how large it is. */
export async function fillPostgres(url: string, settings: FillSettings): Promise<void> {
  const { reader, deleted, highest } = filled(settings);
  const bytes = (value: Uint8Array): string => `'\\x${hex(value)}'::bytea`;
  const account = bytes(idOf('account').subarray(0, 16));
  const day = Math.floor(settings.nowMs / DAY_MS);
  await queryDirectly(url, async (query) => {
    await query('SET synchronous_commit = off');
    for (const table of ['record_body', 'media_body']) {
      await query(
        `CREATE TABLE ${table}_${String(day)} PARTITION OF ${table} FOR VALUES FROM (${String(day)}) TO (${String(day + 1)})`,
      );
    }
    let place = 0;
    for (const [device, count] of cameras(settings)) {
      const id = bytes(device);
      const seqs = `generate_series(0, ${String(count - 1)}) AS i WHERE i % 50 <> 49`;
      await query(`INSERT INTO claim VALUES (${id}, 1, ${account}, ${id}, ${id}, 'open', NULL, 0, 1)`);
      await query(`INSERT INTO member (key, device, epoch, account) VALUES (${bytes(reader)}, ${id}, 1, ${account})`);
      await query(`INSERT INTO status VALUES (${id}, true, 'x', 0)`);
      await query(
        `INSERT INTO record_key (device, epoch, seq, hash, kind, id, received_at_ms, day)
         SELECT ${id}, 1, i, sha256(i::text::bytea), CASE WHEN i % 10 = 5 THEN 'health' ELSE 'motion' END,
           ${String(place)} + i, ${String(settings.nowMs - DAY_MS)} + i, ${String(day)} FROM ${seqs}`,
      );
      await query(
        `INSERT INTO record_body SELECT ${String(day)}, ${id}, 1, i, decode(repeat(md5(i::text), ${String(BYTES / 16)}), 'hex') FROM ${seqs}`,
      );
      const media = `${id}, 1, decode(lpad(to_hex(i), 32, '0'), 'hex')`;
      await query(`INSERT INTO media_key SELECT ${media}, i, ${String(day)} FROM ${seqs} AND i % 4 = 0`);
      await query(
        `INSERT INTO media_body SELECT ${String(day)}, ${media}, 'header', decode(repeat(md5(i::text), 30), 'hex') FROM ${seqs} AND i % 4 = 0`,
      );
      await query(`INSERT INTO loss SELECT ${id}, 1, i, i FROM generate_series(49, ${String(count - 1)}, 50) AS i`);
      place += count;
    }
    await query(
      `INSERT INTO deletion_statement VALUES (${bytes(deleted)}, 1, ${bytes(deleted)}, 11, ${String(highest)}, 'x', ${account}, 'range', 'marked',
         ${String(settings.nowMs)})`,
    );
    await query(
      `INSERT INTO quarantine (at_ms, verdict, reason, bytes) SELECT i, 'foreign', 'x', 'bytes' FROM generate_series(1, 10000) AS i`,
    );
    // Numbers of arrival count transactions; those of the records above must lie below the next one.
    await query(`UPDATE arrival_base SET base = ${String(Math.ceil(place / 256))}`);
    await query('ANALYZE');
  });
}
