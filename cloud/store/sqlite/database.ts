import Sqlite from 'better-sqlite3';
import { SealcamError, systemCode } from '../../../common/errors.js';
import { migrations } from './schema.js';

export type Database = Sqlite.Database;

/** @throws SealcamError `store-newer`, `store-unavailable` */
export function openDatabase(path: string): Database {
  try {
    const db = new Sqlite(path, { timeout: 5000 });
    db.pragma('journal_mode = WAL');
    // A receipt says "durable": the library's WAL default, NORMAL, would not keep that word.
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.pragma('trusted_schema = OFF');
    migrate(db, path);
    return db;
  } catch (error) {
    throw storeError(error, path);
  }
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

/** Whatever goes wrong in the database is one thing to everybody above: no answer. */
export function storeError(error: unknown, path: string): SealcamError {
  if (error instanceof SealcamError) return error;
  const code = systemCode(error) ?? 'unknown';
  const message = error instanceof Error ? error.message : code;
  return new SealcamError('store-unavailable', `${path}: ${message}`, { cause: error });
}
