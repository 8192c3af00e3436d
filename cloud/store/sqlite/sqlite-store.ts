import type { CloudStore } from '../store.js';
import { sqliteAccess } from './access.js';
import { sqliteAccounts } from './accounts.js';
import { sqliteAlarms, sqliteQuarantine } from './alarms.js';
import { sqliteClaims } from './claims.js';
import { guardOf, openDatabase } from './database.js';
import { rangeMarker, sqliteDeletions } from './deletions.js';
import { sqliteHeads } from './heads.js';
import { sqlitePush } from './push.js';
import { sqliteReads } from './reads.js';
import { recordInserter } from './insert.js';
import { sqliteRecords } from './records.js';
import { sqliteRetention } from './retention.js';
import { sqliteRevocations } from './revocations.js';
import { sqliteSegments } from './segments.js';
import { sqliteSettings } from './settings.js';
import { sqliteTimes } from './times.js';
import { Writer, type Pace } from './writer.js';

/**
 * Opens a store in one SQLite file, for one process: a laptop or a small installation.
 *
 * @param pace lets records that arrive meanwhile share a transaction; omitted, those that are put before the caller waits
 * @throws SealcamError `store-unavailable`, `store-newer`
 */
export function openSqliteStore(path: string, pace?: Pace): CloudStore {
  const db = openDatabase(path);
  const guard = guardOf(path);
  const insertRecord = recordInserter(db);
  const markRanges = rangeMarker(db);
  return {
    claims: sqliteClaims(db, guard, insertRecord),
    records: sqliteRecords(db, guard, new Writer(db, path, insertRecord, pace)),
    access: sqliteAccess(db, guard),
    quarantine: sqliteQuarantine(db, guard),
    alarms: sqliteAlarms(db, guard),
    revocations: sqliteRevocations(db, guard),
    reads: sqliteReads(db, guard),
    accounts: sqliteAccounts(db, guard, markRanges),
    heads: sqliteHeads(db, guard),
    settings: sqliteSettings(db, guard),
    deletions: sqliteDeletions(db, guard, markRanges),
    retention: sqliteRetention(db, guard),
    segments: sqliteSegments(db, guard),
    times: sqliteTimes(db, guard),
    push: sqlitePush(db, guard),
    close: () => guard(() => void db.close()),
  };
}
