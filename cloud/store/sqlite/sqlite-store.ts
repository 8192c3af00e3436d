import type { AccountStore, CloudStore } from '../store.js';
import {
  accessEntry,
  claimRow,
  storedRecord,
  type AccessColumns,
  type ClaimColumns,
  type RecordColumns,
} from '../rows.js';
import { sqliteAccess } from './access.js';
import { sqliteAlarms, sqliteQuarantine } from './alarms.js';
import { sqliteClaims } from './claims.js';
import { openDatabase, storeError, type Database } from './database.js';
import { sqliteReads } from './reads.js';
import { sqliteRecords } from './records.js';
import { sqliteRevocations } from './revocations.js';

const EXPORT_PAGE = 200;

/** One file, one process: what runs on a laptop and in a small installation. @throws SealcamError `store-unavailable` */
export function openSqliteStore(path: string): CloudStore {
  const db = openDatabase(path);
  const guard = <T>(run: () => T): Promise<T> => {
    try {
      return Promise.resolve(run());
    } catch (error) {
      return Promise.reject(storeError(error, path));
    }
  };
  const claims = sqliteClaims(db, guard);
  const records = sqliteRecords(db, guard);
  return {
    claims,
    records,
    access: sqliteAccess(db, guard),
    quarantine: sqliteQuarantine(db, guard),
    alarms: sqliteAlarms(db, guard),
    revocations: sqliteRevocations(db, guard),
    reads: sqliteReads(db, guard),
    accounts: sqliteAccounts(db, guard),
    close: () => guard(() => void db.close()),
  };
}

type Guard = <T>(run: () => T) => Promise<T>;

function sqliteAccounts(db: Database, guard: Guard): AccountStore {
  const claims = db.prepare<unknown[], ClaimColumns>('SELECT * FROM claim WHERE account = ? ORDER BY device, epoch');
  const records = db.prepare<unknown[], RecordColumns>(
    'SELECT * FROM record WHERE device = ? AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?',
  );
  const media = db.prepare<
    unknown[],
    { readonly media_id: Uint8Array; readonly header: Uint8Array; readonly body: Uint8Array }
  >('SELECT media_id, header, body FROM media WHERE device = ? AND epoch = ? AND seq = ?');
  const access = db.prepare<unknown[], AccessColumns>(
    'SELECT * FROM access WHERE device = ? AND epoch = ? AND id > ? ORDER BY id LIMIT ?',
  );

  async function* exported(account: Uint8Array): ReturnType<AccountStore['export']> {
    for (const row of await guard(() => claims.all(account).map(claimRow))) {
      yield { type: 'claim', row };
      let seq = -1;
      for (;;) {
        const page = await guard(() => records.all(row.device, row.epoch, seq, EXPORT_PAGE).map(storedRecord));
        for (const record of page) {
          seq = record.seq;
          const objects = await guard(() => media.all(row.device, row.epoch, record.seq));
          yield {
            type: 'record',
            record,
            media: objects.map((object) => ({
              id: new Uint8Array(object.media_id),
              sealed: { header: new Uint8Array(object.header), body: new Uint8Array(object.body) },
            })),
          };
        }
        if (page.length < EXPORT_PAGE) break;
      }
      let id = 0;
      for (;;) {
        const page = await guard(() => access.all(row.device, row.epoch, id, EXPORT_PAGE));
        for (const line of page) {
          id = line.id;
          yield { type: 'access', entry: accessEntry(line) };
        }
        if (page.length < EXPORT_PAGE) break;
      }
    }
  }

  return {
    export: exported,
    delete: (account) =>
      guard(() =>
        db
          .transaction(() => {
            let deleted = 0;
            for (const { device, epoch } of claims.all(account)) {
              for (const table of ['media', 'loss', 'media_loss', 'drained', 'member']) {
                db.prepare(`DELETE FROM ${table} WHERE device = ? AND epoch = ?`).run(device, epoch);
              }
              deleted += db.prepare('DELETE FROM record WHERE device = ? AND epoch = ?').run(device, epoch).changes;
            }
            db.prepare("UPDATE claim SET claim = NULL, state = 'revoked' WHERE account = ?").run(account);
            return deleted;
          })
          .immediate(),
      ),
  };
}
