import Sqlite from 'better-sqlite3';
import { isSealcamError, SealcamError, systemCode } from '../../common/errors.js';

export type Database = Sqlite.Database;

export interface SqliteOptions {
  /** How long a statement waits for another process's lock. */
  readonly timeoutMs?: number;
}

/** Opens a file as it is: no pragmas, no migrations. */
export function openRaw(path: string, { timeoutMs = 5000 }: SqliteOptions = {}): Database {
  return new Sqlite(path, { timeout: timeoutMs });
}

/** Whether an error says that the database file is damaged. */
export function isDamage(error: unknown): boolean {
  return isSealcamError(error) && error.code === 'store-corrupt';
}

/** Maps an error of SQLite to one of our codes; returns anything else unchanged. */
export function storeError(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (error instanceof SealcamError || code === undefined) return error;
  const message = error instanceof Error ? error.message : code;
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return new SealcamError('store-corrupt', `${path}: ${message}`, { cause: error });
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new SealcamError('store-locked', `${path}: ${message}`, { cause: error });
  }
  if (code === 'SQLITE_FULL') return new SealcamError('store-full', `${path}: ${message}`, { cause: error });
  if (code.startsWith('SQLITE_')) return new SealcamError('store-unavailable', `${path}: ${message}`, { cause: error });
  return error;
}
