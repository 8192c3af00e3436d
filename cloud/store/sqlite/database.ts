import Sqlite from 'better-sqlite3';
import { closeToOthers } from '../../../common/adapters/private-files.js';
import { SealcamError, systemCode } from '../../../common/errors.js';
import { migrations } from './schema.js';

export type Database = Sqlite.Database;

/** Runs synchronous work on the database and answers as a promise; what it throws becomes `store-unavailable`. */
export type Guard = <T>(work: () => T) => Promise<T>;

const BUSY_TIMEOUT_MS = 5000;

/**
 * Opens the database and brings its schema up to date.
 *
 * @throws SealcamError `store-newer`, `store-unavailable`
 */
export function openDatabase(path: string): Database {
  try {
    const db = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS });
    db.pragma('journal_mode = WAL');
    // A receipt promises durability. NORMAL, the library's default with WAL, may lose the last commits in a power cut.
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.pragma('trusted_schema = OFF');
    migrate(db, path);
    // The library makes its files readable by everybody, and the folder may be one that others can enter.
    for (const suffix of ['', '-wal', '-shm']) closeToOthers(`${path}${suffix}`);
    return db;
  } catch (error) {
    throw storeError(error, path);
  }
}

/** Returns the guard for the database at `path`. */
export function guardOf(path: string): Guard {
  return (work) => {
    try {
      return Promise.resolve(work());
    } catch (error) {
      return Promise.reject(storeError(error, path));
    }
  };
}

function migrate(db: Database, path: string): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version > migrations.length) {
    throw new SealcamError('store-newer', `${path} has schema ${String(version)}, newer than this program`);
  }
  for (let step = version; step < migrations.length; step++) {
    db.transaction(() => {
      db.exec(migrations[step] ?? '');
      db.pragma(`user_version = ${String(step + 1)}`);
    }).immediate();
  }
}

/** Returns whether the database refused the data itself: a broken constraint, or a value that it cannot hold. */
export function isRefusedData(error: unknown): boolean {
  if (!(error instanceof Sqlite.SqliteError)) return error instanceof TypeError || error instanceof RangeError;
  return /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(error.code);
}

/** Callers handle every fault of the database alike: there is no answer. */
export function storeError(error: unknown, path: string): SealcamError {
  if (error instanceof SealcamError) return error;
  const message = error instanceof Error ? error.message : (systemCode(error) ?? 'unknown');
  return new SealcamError('store-unavailable', `${path}: ${message}`, { cause: error });
}
