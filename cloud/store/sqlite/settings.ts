import { SETTINGS_PARENTS_KEPT } from '../bounds.js';
import { settingsOutcome, type SettingsStore } from '../settings-store.js';
import type { Database, Guard } from './database.js';

const MINUTE_MS = 60_000;

interface AccountKey {
  readonly account: Uint8Array;
}
type ObjectKey = AccountKey & { readonly hash: Uint8Array };

export function sqliteSettings(db: Database, guard: Guard): SettingsStore {
  const rowOf = db.prepare<ObjectKey, { readonly version: number; readonly isHead: number }>(
    'SELECT version, object IS NOT NULL AS isHead FROM household_settings WHERE account = @account AND hash = @hash',
  );
  const counts = db.prepare<AccountKey & { sinceMs: number }, { readonly heads: number; readonly recent: number }>(
    `SELECT count(object) AS heads, count(*) FILTER (WHERE stored_at_ms > @sinceMs) AS recent
     FROM household_settings WHERE account = @account`,
  );
  const supersede = db.prepare<ObjectKey>(
    'UPDATE household_settings SET object = NULL WHERE account = @account AND hash = @hash',
  );
  const insert = db.prepare<ObjectKey & { version: number; object: Uint8Array; atMs: number }>(
    `INSERT INTO household_settings (account, hash, version, object, stored_at_ms)
     VALUES (@account, @hash, @version, @object, @atMs)`,
  );
  const trim = db.prepare<AccountKey & { kept: number }>(
    `DELETE FROM household_settings WHERE account = @account AND object IS NULL AND hash NOT IN
       (SELECT hash FROM household_settings WHERE account = @account AND object IS NULL
        ORDER BY version DESC, hash LIMIT @kept)`,
  );
  const of = db.prepare<AccountKey, { readonly object: Uint8Array }>(
    'SELECT object FROM household_settings WHERE account = @account AND object IS NOT NULL ORDER BY stored_at_ms, hash',
  );
  return {
    put: ({ value: { account, settingsVersion, parents }, hash, bytes }, atMs) =>
      guard(() =>
        db
          .transaction(() => {
            if (rowOf.get({ account, hash }) !== undefined) return 'stored';
            const rows = parents.map((parent) => {
              const row = rowOf.get({ account, hash: parent });
              return row === undefined ? undefined : { version: row.version, isHead: row.isHead === 1 };
            });
            const { heads = 0, recent = 0 } = counts.get({ account, sinceMs: atMs - MINUTE_MS }) ?? {};
            const outcome = settingsOutcome(settingsVersion, { parents: rows, heads, recent });
            if (outcome !== 'stored') return outcome;
            for (const parent of parents) supersede.run({ account, hash: parent });
            insert.run({ account, hash, version: settingsVersion, object: bytes, atMs });
            trim.run({ account, kept: SETTINGS_PARENTS_KEPT });
            return outcome;
          })
          .immediate(),
      ),
    of: (account) => guard(() => of.all({ account }).map(({ object }) => new Uint8Array(object))),
  };
}
