import { DAY_MS } from '../rows.js';
import { isLockTimeout, type Database } from './database.js';

/** The access log is kept for years, so its partitions are longer. */
const ACCESS_PARTITION_MS = 30 * DAY_MS;
/** How long the drop of an empty partition may keep readers waiting for its lock. */
const DROP_WAIT_MS = 1000;
const PARTITION_LOCK = 0x5ea1cb;

export function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

interface PartitionedTable {
  readonly table: string;
  /** Time that one partition covers. */
  readonly sizeMs: number;
  /** Time that one unit of the partitioning column stands for. */
  readonly unitMs: number;
}

const BODIES: readonly PartitionedTable[] = ['record_body', 'media_body'].map((table) => ({
  table,
  sizeMs: DAY_MS,
  unitMs: DAY_MS,
}));
const ACCESS: readonly PartitionedTable[] = [{ table: 'access', sizeMs: ACCESS_PARTITION_MS, unitMs: 1 }];

/** Creates partitions before they are needed, and drops days whose records have expired. */
export class Partitions {
  private readonly database: Database;
  /** Partitions created or being created, by name: after a start many callers need the same one. */
  private readonly known = new Map<string, Promise<void>>();

  constructor(database: Database) {
    this.database = database;
  }

  async ensureForBodies(atMs: number): Promise<void> {
    await this.ensure(BODIES, atMs);
  }

  async ensureForAccess(atMs: number): Promise<void> {
    await this.ensure(ACCESS, atMs);
  }

  /** Forgets which partitions exist. Call it after a statement found one missing: another process may have dropped it. */
  forget(): void {
    this.known.clear();
  }

  /** Returns the days for which a table of bodies has partitions, ascending. */
  async days(table: 'record_body' | 'media_body'): Promise<readonly number[]> {
    const found = await this.database.rows<{ readonly name: string }>(
      `SELECT relid::regclass::text AS name FROM pg_partition_tree('${table}') WHERE isleaf`,
    );
    const days = found.map(({ name }) => Number(/_body_(\d+)$/.exec(name)?.[1] ?? NaN));
    return days.filter((day) => !Number.isNaN(day)).sort((a, b) => a - b);
  }

  /** Drops a day to which no key points. A key that came meanwhile, from a worker whose clock is wrong, keeps it. */
  async dropDay(day: number): Promise<void> {
    await this.database.transaction('READ COMMITTED', async (session) => {
      // A key and its body are written by one statement, so no key of the day can be under way now.
      await session.execute(`LOCK TABLE ${BODIES.map(({ table }) => table).join(', ')} IN ACCESS EXCLUSIVE MODE`);
      const keys = await session.rows(
        'SELECT 1 WHERE EXISTS (SELECT 1 FROM record_key WHERE day = @day) OR EXISTS (SELECT 1 FROM media_key WHERE day = @day)',
        { day },
      );
      if (keys.length > 0) return;
      for (const { table } of BODIES) await session.execute(`DROP TABLE IF EXISTS ${table}_${String(day)}`);
    });
    this.forget();
  }

  /** Drops the partitions of the access log that end by `untilMs` and hold no line any longer: those that were archived. */
  async dropEmptyAccess(untilMs: number): Promise<void> {
    const found = await this.database.rows<{ readonly name: string }>(
      `SELECT relid::regclass::text AS name FROM pg_partition_tree('access') WHERE isleaf`,
    );
    for (const { name } of found) {
      const number = /access_(\d+)$/.exec(name)?.[1];
      if (number === undefined || (Number(number) + 1) * ACCESS_PARTITION_MS > untilMs) continue;
      const table = `access_${number}`;
      if ((await this.database.rows(`SELECT 1 FROM ${table} LIMIT 1`)).length > 0) continue;
      const drop = this.database.transaction('READ COMMITTED', async (session) => {
        // Every read waits for its line of the log. Behind a long query it is left for the next run.
        await session.execute(`SET LOCAL lock_timeout = ${String(DROP_WAIT_MS)}`);
        await session.execute('LOCK TABLE access IN ACCESS EXCLUSIVE MODE');
        if ((await session.rows(`SELECT 1 FROM ${table} LIMIT 1`)).length > 0) return;
        await session.execute(`DROP TABLE ${table}`);
      });
      await drop.catch((error: unknown) => {
        if (!isLockTimeout(error)) throw error;
      });
    }
    this.forget();
  }

  private async ensure(tables: readonly PartitionedTable[], atMs: number): Promise<void> {
    for (const table of tables) {
      const number = Math.floor(atMs / table.sizeMs);
      await this.createOnce(table, number);
      // The next one in advance, so that nothing waits for it when its time comes.
      await this.createOnce(table, number + 1);
    }
  }

  private createOnce(table: PartitionedTable, number: number): Promise<void> {
    const name = `${table.table}_${String(number)}`;
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const creation = this.create(table, number, name).catch((error: unknown) => {
      this.known.delete(name);
      throw error;
    });
    this.known.set(name, creation);
    return creation;
  }

  private async create({ table, sizeMs, unitMs }: PartitionedTable, number: number, name: string): Promise<void> {
    const from = String((number * sizeMs) / unitMs);
    const to = String(((number + 1) * sizeMs) / unitMs);
    await this.database.transaction('READ COMMITTED', async (session) => {
      await session.rows('SELECT pg_advisory_xact_lock(@lock)', { lock: PARTITION_LOCK });
      const existing = await session.rows('SELECT 1 WHERE to_regclass(@name) IS NOT NULL', { name });
      if (existing.length > 0) return;
      await session.execute(`CREATE TABLE ${name} PARTITION OF ${table} FOR VALUES FROM (${from}) TO (${to})`);
    });
  }
}
