import { SETTINGS_PARENTS_KEPT } from '../bounds.js';
import { settingsOutcome, type SettingsStore } from '../settings-store.js';
import type { Database, Session } from './database.js';

const MINUTE_MS = 60_000;

interface Row {
  readonly version: number;
  readonly is_head: boolean;
}

export function postgresSettings(database: Database): SettingsStore {
  const rowOf = async (session: Session, account: Uint8Array, hash: Uint8Array): Promise<Row | undefined> =>
    (
      await session.rows<Row>(
        `SELECT version, object IS NOT NULL AS is_head FROM household_settings
         WHERE account = @account AND hash = @hash`,
        { account, hash },
      )
    )[0];
  return {
    put: ({ value: { account, settingsVersion, parents }, hash, bytes }, atMs) =>
      database.transaction('SERIALIZABLE', async (session) => {
        if ((await rowOf(session, account, hash)) !== undefined) return 'stored';
        const rows = [];
        for (const parent of parents) {
          const row = await rowOf(session, account, parent);
          rows.push(row === undefined ? undefined : { version: row.version, isHead: row.is_head });
        }
        const [counted] = await session.rows<{ readonly heads: number; readonly recent: number }>(
          `SELECT count(object) AS heads, count(*) FILTER (WHERE stored_at_ms > @sinceMs) AS recent
           FROM household_settings WHERE account = @account`,
          { account, sinceMs: atMs - MINUTE_MS },
        );
        const { heads = 0, recent = 0 } = counted ?? {};
        const outcome = settingsOutcome(settingsVersion, { parents: rows, heads, recent });
        if (outcome !== 'stored') return outcome;
        await session.execute(
          'UPDATE household_settings SET object = NULL WHERE account = @account AND hash = ANY(@parents::bytea[])',
          { account, parents: parents.map((parent) => Buffer.from(parent)) },
        );
        await session.execute(
          `INSERT INTO household_settings (account, hash, version, object, stored_at_ms)
           VALUES (@account, @hash, @version, @object, @atMs)`,
          { account, hash, version: settingsVersion, object: bytes, atMs },
        );
        await session.execute(
          `DELETE FROM household_settings WHERE account = @account AND object IS NULL AND hash NOT IN
             (SELECT hash FROM household_settings WHERE account = @account AND object IS NULL
              ORDER BY version DESC, hash LIMIT @kept)`,
          { account, kept: SETTINGS_PARENTS_KEPT },
        );
        return outcome;
      }),
    of: async (account) =>
      (
        await database.rows<{ readonly object: Uint8Array }>(
          `SELECT object FROM household_settings WHERE account = @account AND object IS NOT NULL
           ORDER BY stored_at_ms, hash`,
          { account },
        )
      ).map(({ object }) => object),
  };
}
