import pg from 'pg';
import { SealcamError } from '../../../common/errors.js';
import { migrations } from './schema.js';
import { statement, type Values } from './statements.js';

export interface PostgresSettings {
  /** postgres://user@host:port/database, without a password. */
  readonly url: string;
  /** Undefined leaves it to libpq's own variable PGPASSWORD, if that is set. */
  readonly password: string | undefined;
  /** Size of the pool. */
  readonly connections: number;
}

/** Runs single statements, alone or inside a transaction. bytea comes as Uint8Array, bigint as number. */
export interface Session {
  /** Runs a statement and returns its rows. */
  rows<R>(text: string, values?: Values): Promise<R[]>;
  /** Runs a statement and returns how many rows it touched. */
  execute(text: string, values?: Values): Promise<number>;
}

export type Isolation = 'READ COMMITTED' | 'SERIALIZABLE';

const STATEMENT_TIMEOUT_MS = 30_000;
/** Covers the wait for a pooled connection too: in a storm of reconnects waiting a turn beats being turned away. */
const CONNECT_TIMEOUT_MS = STATEMENT_TIMEOUT_MS;
/** The server ends a statement that runs too long. This ends one whose server has gone away. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 5000;
const IDLE_TIMEOUT_MS = 60_000;
/** Attempts at a transaction that the server aborted because it collided with another. */
const ATTEMPTS_MAX = 10;
const MIGRATION_LOCK = 0x5ea1ca;

/** Type numbers of PostgreSQL's catalogue. */
const BYTEA_OID = 17;
const INT8_OID = 20;

const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): ((text: string) => unknown) => {
    if (format !== 'binary' && oid === BYTEA_OID) return (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex'));
    // All our whole numbers are below 2^53.
    if (format !== 'binary' && oid === INT8_OID) return Number;
    return pg.types.getTypeParser(oid, format) as (text: string) => unknown;
  },
};

/** A pool of connections to the primary of a PostgreSQL cluster. */
export class Database implements Session {
  private readonly pool: pg.Pool;
  /** Host and database, for messages; without user and password. */
  private readonly name: string;
  /** Names of prepared statements, by their text. */
  private readonly names = new Map<string, string>();

  private constructor(pool: pg.Pool, name: string) {
    this.pool = pool;
    this.name = name;
  }

  /**
   * Connects and brings the schema up to date.
   *
   * @throws SealcamError `store-newer`, `store-unavailable`
   */
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
      // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the pool awaits it; its types do not say so.
      onConnect: prepareConnection,
    });
    // An idle connection died. The next statement opens another.
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

  async rows<R>(text: string, values: Values = []): Promise<R[]> {
    return this.guard(async () => (await this.pool.query(this.prepared(text, values))).rows as R[]);
  }

  async execute(text: string, values: Values = []): Promise<number> {
    return this.guard(async () => (await this.pool.query(this.prepared(text, values))).rowCount ?? 0);
  }

  /** Runs `work` in a transaction, and runs all of it again where the server aborted it for another transaction. */
  async transaction<T>(isolation: Isolation, work: (session: Session) => Promise<T>): Promise<T> {
    return this.guard(async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.runTransaction(isolation, work);
        } catch (error) {
          if (attempt >= ATTEMPTS_MAX || !isCollision(error)) throw error;
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
    // Without a listener, an error of the connection would end the process.
    const onError = (error: Error): void => {
      broken = error;
    };
    client.on('error', onError);
    try {
      await client.query(`BEGIN ISOLATION LEVEL ${isolation}`);
      // A text that is made for a list of values, or for a change of the schema, is not used again.
      const query = (text: string, values: Values): Promise<pg.QueryResult> =>
        client.query(Array.isArray(values) ? statement(text, values) : this.prepared(text, values));
      const result = await work({
        rows: async <R>(text: string, values: Values = []) => (await query(text, values)).rows as R[],
        execute: async (text, values = []) => (await query(text, values)).rowCount ?? 0,
      });
      await client.query('COMMIT');
      return result;
    } catch (error) {
      // A connection that cannot roll back is closed instead of going back to the pool.
      await client.query('ROLLBACK').catch((worse: unknown) => {
        broken ??= worse instanceof Error ? worse : new Error(String(worse));
      });
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }

  /** Returns a named statement, which the server parses once per connection. */
  private prepared(text: string, values: Values): pg.QueryConfig {
    const name = this.names.get(text) ?? `s${String(this.names.size)}`;
    this.names.set(text, name);
    return { name, ...statement(text, values) };
  }

  /** Callers handle every fault of the database alike: there is no answer. */
  private async guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof SealcamError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      throw new SealcamError('store-unavailable', `${this.name}: ${message}`, {
        cause: error,
        hint: 'Check that PostgreSQL is running, and check store.url, its password and its rights.',
      });
    }
  }

  private async migrate(): Promise<void> {
    await this.transaction('READ COMMITTED', async (session) => {
      // Workers that start together migrate one after the other.
      await session.rows('SELECT pg_advisory_xact_lock(@lock)', { lock: MIGRATION_LOCK });
      await session.execute('CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)');
      const [row] = await session.rows<{ readonly version: number }>('SELECT version FROM schema_version');
      const version = row?.version ?? 0;
      if (version > migrations.length) {
        throw new SealcamError('store-newer', `${this.name} has schema ${String(version)}, newer than this program`);
      }
      for (const step of migrations.slice(version)) await session.execute(step);
      if (version < migrations.length) {
        await session.execute('DELETE FROM schema_version');
        await session.execute('INSERT INTO schema_version VALUES (@version)', { version: migrations.length });
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
 * Sets up a new connection. A receipt's promise must not depend on how a server is configured: commits are durable, and
 * reads see what is committed now. A standby lags behind, so its claim rows would be a cache; it is refused.
 */
async function prepareConnection(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ readonly standby: boolean; readonly fsync: string }>(
    `SELECT pg_is_in_recovery() AS standby, current_setting('fsync') AS fsync,
       set_config('default_transaction_isolation', 'read committed', false),
       set_config('synchronous_commit',
         CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)`,
  );
  const [found] = rows;
  if (found?.standby !== false) throw new Error('this server is a standby; store.url must name the primary');
  if (found.fsync !== 'on') throw new Error('fsync is off on this server, so its commits are not durable');
}

/** SQLSTATE 40001 is a serialization failure, 40P01 a deadlock. */
function isCollision(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '40001' || error.code === '40P01');
}

/** Returns whether the server refused the data itself: SQLSTATE class 22, data exception, or 23, a broken constraint. */
export function isRefusedData(error: unknown): boolean {
  const cause = error instanceof SealcamError ? error.cause : error;
  return cause instanceof pg.DatabaseError && /^2[23]/.test(cause.code ?? '');
}

/** Returns whether a lock was not granted within `lock_timeout`: SQLSTATE 55P03. */
export function isLockTimeout(error: unknown): boolean {
  const cause = error instanceof SealcamError ? error.cause : error;
  return cause instanceof pg.DatabaseError && cause.code === '55P03';
}
