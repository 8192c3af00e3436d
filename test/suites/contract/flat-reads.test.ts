import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../../cloud/store/postgres/postgres-store.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import { READ_CASES, type ReadCase } from '../../campaigns/reads/cases.js';
import { filled, fillPostgres, fillSqlite } from '../../campaigns/reads/fill.js';
import { postgres, queryDirectly, type TestPostgres } from '../../support/engines/postgres.js';
import { describeWith } from '../../support/engines/tools.js';
import { keptFolder } from '../../support/runner/temp.js';
import { until } from '../../support/runner/wait.js';

/** A read of the large store may touch a little more: its trees are one level higher. */
const SIZES = [10_000, 50_000] as const;
const PAGES_MORE_MAX = 12;
const ROWS_MORE_MAX = 40;
const NOW_MS = Date.UTC(2026, 10, 21, 12);
const SECOND_MS = 1000;

const placeIn = (records: number, lastId: number): Parameters<ReadCase['read']>[1] => ({
  ...filled({ records, nowMs: NOW_MS }),
  middle: Math.floor(records / 6),
  middleId: Math.floor(records / 6),
  lastId,
  nowMs: NOW_MS,
});

const naive = 'SELECT count(hash) FROM';

// What a thread reads from files is counted by Linux alone.
const THREAD_IO = '/proc/thread-self/io';
describe.runIf(existsSync(THREAD_IO))('reads of a SQLite store', () => {
  const paths = new Map<number, string>();
  const bytesRead = (): number => Number(/^rchar: (\d+)$/m.exec(readFileSync(THREAD_IO, 'utf8'))?.[1]);

  beforeAll(async () => {
    for (const records of SIZES) {
      const path = join(keptFolder(), 'cloud.db');
      await openSqliteStore(path).close();
      fillSqlite(path, { records, nowMs: NOW_MS });
      paths.set(records, path);
    }
  });

  /** Returns the pages that a read takes from the file; a connection that was just opened has none of them. */
  async function pagesOf(records: number, { read }: ReadCase): Promise<number> {
    const store = openSqliteStore(paths.get(records) ?? '');
    const lastId = await store.records.lastId();
    const before = bytesRead();
    await read(store, placeIn(records, lastId));
    const pages = Math.round((bytesRead() - before) / 4096);
    await store.close();
    return pages;
  }

  it.each(READ_CASES)('$name: touches as much of a large one as of a small one', async (one) => {
    const [small, large] = [await pagesOf(SIZES[0], one), await pagesOf(SIZES[1], one)];
    expect(large).toBeLessThanOrEqual(small + PAGES_MORE_MAX);
  });

  it('a read that walks through an epoch does not (control)', () => {
    const pages = SIZES.map((records) => {
      const db = new Sqlite(paths.get(records) ?? '');
      const query = db.prepare(`${naive} record WHERE device = ?`);
      const before = bytesRead();
      query.get(filled({ records, nowMs: NOW_MS }).busy);
      db.close();
      return Math.round((bytesRead() - before) / 4096);
    });
    expect(pages[1]).toBeGreaterThan((pages[0] ?? 0) + PAGES_MORE_MAX);
  });
});

describeWith('postgres', 'reads of a PostgreSQL store', () => {
  const urls = new Map<number, string>();
  const server: TestPostgres = postgres(keptFolder());

  beforeAll(async () => {
    await server.start();
    for (const records of SIZES) {
      const url = await server.database(`reads_${String(records)}`);
      const store = await openPostgresStore({ url, password: undefined, connections: 1 });
      await store.close();
      await fillPostgres(url, { records, nowMs: NOW_MS });
      urls.set(records, url);
    }
  });
  afterAll(() => server.stop());

  /** Returns the rows and index entries that the server read for what `use` did: it adds them up when a session ends. */
  async function rowsRead(records: number, use: (url: string) => Promise<unknown>): Promise<number> {
    const url = urls.get(records) ?? '';
    const sum = async (): Promise<number> => {
      let rows = NaN;
      await until('the other sessions ended', () =>
        queryDirectly(url, async (query) => {
          const [found] = await query(
            `SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()) AS others,
               (SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables)
               + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes) AS rows`,
          );
          if (found?.['others'] !== '0') return false;
          rows = Number(found['rows']);
          return true;
        }),
      );
      return rows;
    };
    const before = await sum();
    await use(url);
    return (await sum()) - before;
  }

  const rowsOf = (records: number, { read }: ReadCase): Promise<number> =>
    rowsRead(records, async (url) => {
      const store = await openPostgresStore({ url, password: undefined, connections: 1 });
      await read(store, placeIn(records, await store.records.lastId()));
      await store.close();
    });

  it.each(READ_CASES)(
    '$name: touches as many rows of a large one as of a small one',
    { timeout: 60 * SECOND_MS },
    async (one) => {
      const [small, large] = [await rowsOf(SIZES[0], one), await rowsOf(SIZES[1], one)];
      expect(large).toBeLessThanOrEqual(small + ROWS_MORE_MAX);
    },
  );

  it('a read that walks through an epoch does not (control)', async () => {
    const walk = (records: number): Promise<number> =>
      rowsRead(records, (url) =>
        queryDirectly(url, (query) =>
          query(`${naive} record_key WHERE device = $1`, [Buffer.from(filled({ records, nowMs: NOW_MS }).busy)]),
        ),
      );
    expect(await walk(SIZES[1])).toBeGreaterThan((await walk(SIZES[0])) + ROWS_MORE_MAX);
  });
});
