import type { Database } from './database.js';

export const DAY_MS = 86_400_000;
/** Lines of the access log are kept for years, so its partitions are longer. */
const ACCESS_PARTITION_MS = 30 * DAY_MS;
const PARTITION_LOCK = 0x5ea1cb;

export function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

interface Partitioned {
  readonly table: string;
  readonly sizeMs: number;
  /** Of one unit of the partitioning column. */
  readonly unitMs: number;
}

const BODIES: readonly Partitioned[] = ['record_body', 'media_body'].map((table) => ({
  table,
  sizeMs: DAY_MS,
  unitMs: DAY_MS,
}));
const ACCESS: readonly Partitioned[] = [{ table: 'access', sizeMs: ACCESS_PARTITION_MS, unitMs: 1 }];

/** Makes partitions before they are needed, and drops days that are over. */
export class Partitions {
  private readonly database: Database;
  /** Made, or being made; many ask at once after a start. */
  private readonly known = new Map<string, Promise<void>>();

  constructor(database: Database) {
    this.database = database;
  }

  async forBodies(atMs: number): Promise<void> {
    await this.ensure(BODIES, atMs);
  }

  async forAccess(atMs: number): Promise<void> {
    await this.ensure(ACCESS, atMs);
  }

  /** After a statement found none: another process may have dropped it. */
  forget(): void {
    this.known.clear();
  }

  /** Days that there are partitions of. */
  async days(): Promise<readonly number[]> {
    const found = await this.database.rows<{ readonly name: string }>(
      `SELECT relid::regclass::text AS name FROM pg_partition_tree('record_body') WHERE isleaf`,
    );
    const days = found.map(({ name }) => Number(/record_body_(\d+)$/.exec(name)?.[1] ?? NaN));
    return days.filter((day) => !Number.isNaN(day)).sort((a, b) => a - b);
  }

  async dropDay(day: number): Promise<void> {
    for (const { table } of BODIES) await this.database.execute(`DROP TABLE IF EXISTS ${table}_${String(day)}`);
    this.forget();
  }

  private async ensure(tables: readonly Partitioned[], atMs: number): Promise<void> {
    for (const one of tables) {
      const number = Math.floor(atMs / one.sizeMs);
      // The next one too: then its first minute waits for nobody.
      for (const wanted of [number, number + 1]) await this.createPartition(one, wanted);
    }
  }

  private createPartition(one: Partitioned, number: number): Promise<void> {
    const name = `${one.table}_${String(number)}`;
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const making = this.create(one, number, name).catch((error: unknown) => {
      this.known.delete(name);
      throw error;
    });
    this.known.set(name, making);
    return making;
  }

  private async create({ table, sizeMs, unitMs }: Partitioned, number: number, name: string): Promise<void> {
    const [from, to] = [number, number + 1].map((n) => String((n * sizeMs) / unitMs));
    await this.database.transaction('READ COMMITTED', async (session) => {
      await session.rows('SELECT pg_advisory_xact_lock($1)', [PARTITION_LOCK]);
      if ((await session.rows('SELECT 1 WHERE to_regclass($1) IS NOT NULL', [name])).length > 0) return;
      await session.execute(
        `CREATE TABLE ${name} PARTITION OF ${table} FOR VALUES FROM (${from ?? ''}) TO (${to ?? ''})`,
      );
    });
  }
}
