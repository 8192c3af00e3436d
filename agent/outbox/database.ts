import Sqlite from 'better-sqlite3';
import { closeSync, openSync, readSync } from 'node:fs';
import { SealcamError, systemCode } from '../../common/errors.js';
import { migrate, newer, SCHEMA_VERSION } from './migrations.js';

export type Database = Sqlite.Database;

const PAGE_BYTES = 4096;
/** Checkpoint early: a small WAL is soon read at a start and wears the flash evenly. */
const WAL_PAGES = 256;
/** better-sqlite3's own default is 16,000 KiB, which a camera's memory would follow as its file grows. */
const CACHE_KIB = 1024;

export interface DatabaseOptions {
  /** The file may not grow past this. */
  readonly maxBytes: number;
}

/**
 * One connection, WAL, and every commit on the disk before it returns.
 * The library's WAL default, synchronous=NORMAL, loses commits at a power cut; EXCLUSIVE keeps the shared-memory file away
 * and a second agent out.
 *
 * @throws SealcamError `store-newer` (the file is not touched), `store-locked`, `store-corrupt`, `store-unavailable`
 */
export function openDatabase(path: string, { maxBytes }: DatabaseOptions): Database {
  refuseNewer(path);
  let db: Database | undefined;
  try {
    db = new Sqlite(path, { timeout: 1000 });
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma(`wal_autocheckpoint = ${String(WAL_PAGES)}`);
    db.pragma(`max_page_count = ${String(Math.ceil(maxBytes / PAGE_BYTES))}`);
    db.pragma(`cache_size = -${String(CACHE_KIB)}`);
    db.pragma('foreign_keys = ON');
    db.pragma('trusted_schema = OFF');
    db.pragma('temp_store = MEMORY');
    // What is deleted is overwritten where that costs no further write; the end of an epoch pays for all of it.
    db.pragma('secure_delete = FAST');
    migrate(db);
    return db;
  } catch (error) {
    db?.close();
    throw storeError(error, path);
  }
}

/** A database as it is, without migrations: for the tool that writes old ones. */
export function openRaw(path: string): Database {
  return new Sqlite(path);
}

/** The schema version lies at byte 60 of the file (SQLite file format §1.3), so a newer file need not be opened. */
function refuseNewer(path: string): void {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw new SealcamError('store-unavailable', `${path} cannot be opened`, { cause: error });
  }
  try {
    const header = new Uint8Array(64);
    if (readSync(file, header) < 64) return;
    const version = new DataView(header.buffer).getUint32(60);
    if (version > SCHEMA_VERSION) throw newer(path, version);
  } finally {
    closeSync(file);
  }
}

/** Maps what SQLite says to our codes; anything else passes. */
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
