import { closeSync, openSync, readSync } from 'node:fs';
import { closeToOthers } from '../../common/adapters/private-files.js';
import { utf8 } from '../../common/bytes.js';
import { isSealcamError, SealcamError, systemCode } from '../../common/errors.js';
import { migrate, newerSchema, SCHEMA_VERSION } from './migrations.js';
import { openRaw, storeError, type Database } from './sqlite.js';
import { versionInWal } from './wal-version.js';

const PAGE_BYTES = 4096;
/** The library's default of 16 MB is more than half of the whole agent; the kernel keeps pages too, and can drop them. */
const CACHE_KIB = 256;
/** Checkpoint early: a small WAL is read quickly at start and wears the flash evenly. */
const WAL_CHECKPOINT_PAGES = 256;
const LOCK_TIMEOUT_MS = 1000;
/** The file header up to and including the schema version at byte 60 (SQLite file format §1.3). */
const HEADER_BYTES = 64;
const MAGIC = utf8('SQLite format 3\0');

export interface DatabaseOptions {
  /** The file cannot grow beyond this. */
  readonly maxBytes: number;
}

/**
 * Opens the outbox's only connection: WAL, and every commit on disk before it returns.
 * synchronous=FULL because NORMAL, the library's default under WAL, loses commits in a power cut. EXCLUSIVE avoids the
 * shared-memory file and keeps a second agent out.
 *
 * @throws SealcamError `store-newer` (the file is untouched), `store-locked`, `store-corrupt`, `store-unavailable`
 */
export function openDatabase(path: string, { maxBytes }: DatabaseOptions): Database {
  refuseNewer(path);
  let db: Database | undefined;
  try {
    db = openRaw(path, { timeoutMs: LOCK_TIMEOUT_MS });
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma(`wal_autocheckpoint = ${String(WAL_CHECKPOINT_PAGES)}`);
    db.pragma(`max_page_count = ${String(Math.ceil(maxBytes / PAGE_BYTES))}`);
    db.pragma(`cache_size = -${String(CACHE_KIB)}`);
    db.pragma('foreign_keys = ON');
    db.pragma('trusted_schema = OFF');
    db.pragma('temp_store = MEMORY');
    // Overwrites deleted content where that needs no extra write; the end of an epoch pays for the rest.
    db.pragma('secure_delete = FAST');
    migrate(db);
    // The library makes its files readable by everybody, and the folder may be one that others can enter.
    for (const suffix of ['', '-wal']) closeToOthers(`${path}${suffix}`);
    return db;
  } catch (error) {
    db?.close();
    throw storeError(error, path);
  }
}

/**
 * Refuses a file of a newer schema without opening it in SQLite. The version may still be in the write-ahead log only,
 * if a newer program was cut off before its first checkpoint, so the log is read too.
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
    const header = new Uint8Array(HEADER_BYTES);
    // A file that is not a database at all is damaged, whatever its bytes at that place.
    if (readSync(file, header) < HEADER_BYTES || !MAGIC.every((byte, i) => header[i] === byte)) return;
    const version = Math.max(new DataView(header.buffer).getUint32(60), versionInWal(`${path}-wal`));
    if (version > SCHEMA_VERSION) throw newerSchema(path, version);
  } catch (cause) {
    if (isSealcamError(cause)) throw cause;
    throw new SealcamError('store-unavailable', `${path} cannot be read`, { cause });
  } finally {
    closeSync(file);
  }
}
