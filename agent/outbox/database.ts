import Sqlite from 'better-sqlite3';
import { closeSync, openSync, readSync } from 'node:fs';
import { utf8 } from '../../common/bytes.js';
import { isSealcamError, SealcamError, systemCode } from '../../common/errors.js';
import { versionInWal } from './wal-version.js';
import { migrate, newer, SCHEMA_VERSION } from './migrations.js';

export type Database = Sqlite.Database;

const PAGE_BYTES = 4096;
/** The library's default, 16 MB, is a fifth of what the whole agent may have. */
const CACHE_KIB = 1024;
/** Checkpoint early: a small WAL is soon read at a start and wears the flash evenly. */
const WAL_PAGES = 256;

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

/** A database as it is, without migrations: for the tool that writes old ones, and for what is left of a damaged one. */
export function openRaw(path: string): Database {
  return new Sqlite(path);
}

/**
 * The schema version lies at byte 60 of the file (SQLite file format §1.3), so a newer file need not be opened. A newer
 * program may have been cut off before its change left the write-ahead log, so that is looked at too.
 */
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
    // What is no database at all is damaged, whatever stands at that place.
    if (readSync(file, header) < 64 || !MAGIC.every((byte, i) => header[i] === byte)) return;
    const version = Math.max(new DataView(header.buffer).getUint32(60), versionInWal(`${path}-wal`));
    if (version > SCHEMA_VERSION) throw newer(path, version);
  } catch (cause) {
    if (isSealcamError(cause)) throw cause;
    throw new SealcamError('store-unavailable', `${path} cannot be read`, { cause });
  } finally {
    closeSync(file);
  }
}

const MAGIC = utf8('SQLite format 3\0');
export function isDamage(error: unknown): boolean {
  return isSealcamError(error) && error.code === 'store-corrupt';
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
