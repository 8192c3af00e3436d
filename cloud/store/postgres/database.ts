import pg from 'pg';
import { SealcamError } from '../../../common/errors.js';
import { migrations } from './schema.js';

export interface PostgresSettings {
  /** postgres://user@host:port/database, without a password. */
  readonly url: string;
  /** Undefined: none, or what libpq's own variable PGPASSWORD says. */
  readonly password: string | undefined;
  readonly connections: number;
}

/** One statement, in whatever transaction its owner has. Bytes come as Uint8Array, whole numbers as numbers. */
export interface Session {
  rows<R>(text: string, values?: readonly unknown[]): Promise<R[]>;
  /** How many rows it touched. */
  execute(text: string, values?: readonly unknown[]): Promise<number>;
}

export type Isolation = 'READ COMMITTED' | 'SERIALIZABLE';

const STATEMENT_TIMEOUT_MS = 30_000;
/** Also of the wait for a connection that others use: in a storm many wait their turn, and turning them away helps nobody. */
const CONNECT_TIMEOUT_MS = STATEMENT_TIMEOUT_MS;
/** The server ends a statement; this is for a server that is not there any more to do so. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 5000;
const IDLE_TIMEOUT_MS = 60_000;
/** Two transactions in each other's way: one of them is asked to come again. */
const ATTEMPTS_MAX = 10;
const MIGRATION_LOCK = 0x5ea1ca;

const BYTEA = 17;
const INT8 = 20;

const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): ((text: string) => unknown) => {
    if (format !== 'binary' && oid === BYTEA) return (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex'));
    // Every whole number of ours is below 2^53.
    if (format !== 'binary' && oid === INT8) return Number;
    return pg.types.getTypeParser(oid, format) as (text: string) => unknown;
  },
};

/** A pool of connections to the primary of a PostgreSQL cluster. */
export class Database implements Session {
  private readonly pool: pg.Pool;
  /** What messages call it: never with a user or a password. */
  private readonly name: string;
  private readonly names = new Map<string, string>();

  private constructor(pool: pg.Pool, name: string) {
    this.pool = pool;
    this.name = name;
  }

  /** @throws SealcamError `store-newer`, `store-unavailable` */
  static async open({ url, password, connections }: PostgresSettings): Promise<Database> {
    const { host, pathname } = new URL(url);
    const pool = new pg.Pool({
      connectionString: url,
      max: connections,
      types,
      application_name: 'sealcam-cloud',
      keepAlive: true,
      ...(password === undefined ? {} : { password }),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
      // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the pool waits for it, whatever its types say.
      onConnect: prepare,
    });
    // A connection that dies while nobody uses it; the next statement opens another.
    pool.on('error', () => undefined);
    const database = new Database(pool, `postgres ${host}${pathname}`);
    try {
      await database.migrate();
      return database;
    } catch (error) {
      await pool.end();
      throw error;
    }
  }

  async rows<R>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    return this.guard(async () => (await this.pool.query(this.prepared(text, values))).rows as R[]);
  }

  async execute(text: string, values: readonly unknown[] = []): Promise<number> {
    return this.guard(async () => (await this.pool.query(this.prepared(text, values))).rowCount ?? 0);
  }

  /** Runs `work` again, whole, where the server says that another transaction was in the way. */
  async transaction<T>(isolation: Isolation, work: (session: Session) => Promise<T>): Promise<T> {
    return this.guard(async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.runTransaction(isolation, work);
        } catch (error) {
          if (attempt >= ATTEMPTS_MAX || !isInTheWay(error)) throw error;
        }
      }
    });
  }

  async close(): Promise<void> {
    if (!this.pool.ended) await this.pool.end();
  }

  private async runTransaction<T>(isolation: Isolation, work: (session: Session) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    // Without a listener an error of the connection would end the process.
    const onError = (error: Error): void => {
      broken = error;
    };
    client.on('error', onError);
    try {
      await client.query(`BEGIN ISOLATION LEVEL ${isolation}`);
      const result = await work({
        rows: async <R>(text: string, values: readonly unknown[] = []) =>
          (await client.query(text, [...values])).rows as R[],
        execute: async (text, values = []) => (await client.query(text, [...values])).rowCount ?? 0,
      });
      await client.query('COMMIT');
      return result;
    } catch (error) {
      // A connection that cannot even roll back is of no use to anybody.
      await client.query('ROLLBACK').catch((worse: unknown) => {
        broken ??= worse instanceof Error ? worse : new Error(String(worse));
      });
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }

  /** A statement that the server parses once for each connection. */
  private prepared(text: string, values: readonly unknown[]): pg.QueryConfig {
    const name = this.names.get(text) ?? `s${String(this.names.size)}`;
    this.names.set(text, name);
    return { name, text, values: [...values] };
  }

  /** Whatever goes wrong in the database is one thing to everybody above: no answer. */
  private async guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof SealcamError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      throw new SealcamError('store-unavailable', `${this.name}: ${message}`, {
        cause: error,
        hint: 'Check that PostgreSQL runs, and store.url with its password and rights.',
      });
    }
  }

  private async migrate(): Promise<void> {
    await this.transaction('READ COMMITTED', async (session) => {
      // Workers that start together take turns.
      await session.rows('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
      await session.execute('CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)');
      const [row] = await session.rows<{ readonly version: number }>('SELECT version FROM schema_version');
      const version = row?.version ?? 0;
      if (version > migrations.length) {
        throw new SealcamError('store-newer', `${this.name} has schema ${String(version)}, newer than this program`);
      }
      for (const step of migrations.slice(version)) await session.execute(step);
      if (version < migrations.length) {
        await session.execute('DELETE FROM schema_version');
        await session.execute('INSERT INTO schema_version VALUES ($1)', [migrations.length]);
      }
      await session.execute(
        `UPDATE arrival_base SET base = last.id / 256 + 1 - pg_current_xact_id()::text::bigint
         FROM (SELECT coalesce(max(id), 0) AS id FROM record_key) AS last
         WHERE last.id >= (base + pg_current_xact_id()::text::bigint) * 256`,
      );
    });
  }
}

/**
 * What a receipt promises must not hang on how a server is set up: commits are durable, and reads see what is committed
 * now. A standby is behind, which for the question whose camera it is makes it a cache.
 */
async function prepare(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ readonly standby: boolean; readonly fsync: string }>(
    `SELECT pg_is_in_recovery() AS standby, current_setting('fsync') AS fsync,
       set_config('default_transaction_isolation', 'read committed', false),
       set_config('synchronous_commit',
         CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)`,
  );
  const [found] = rows;
  if (found?.standby !== false) throw new Error('this is a standby; store.url must name the primary');
  if (found.fsync !== 'on') throw new Error('fsync is off, so that nothing it commits is durable');
}

/** Serialization failure, deadlock. */
function isInTheWay(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '40001' || error.code === '40P01');
}

/** Refused for what it was, not because the server is away: 22 wrong data, 23 a rule of the schema. */
export function isRefusedData(error: unknown): boolean {
  const cause = error instanceof SealcamError ? error.cause : error;
  return cause instanceof pg.DatabaseError && /^2[23]/.test(cause.code ?? '');
}

/** `($1::bytea, $2::bigint), ($3::bytea, …)` with its values. */
export function tuples(
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
): { readonly text: string; readonly values: readonly unknown[] } {
  const text = rows.map(
    (_, row) => `(${columns.map((type, i) => `$${String(row * columns.length + i + 1)}::${type}`).join(', ')})`,
  );
  return { text: text.join(', '), values: rows.flat() };
}
