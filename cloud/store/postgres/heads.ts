import { BROWSERS_PER_KEY_MAX } from '../bounds.js';
import type { HeadsStore, StoredHeads } from '../statement-store.js';
import type { Database } from './database.js';

export function postgresHeads(database: Database): HeadsStore {
  return {
    put: ({ kid: key, value: { browser, counter }, bytes }, atMs) =>
      database.transaction('READ COMMITTED', async (session) => {
        const stored = await session.execute(
          `INSERT INTO heads_statement (key, browser, counter, statement, stored_at_ms)
           VALUES (@key, @browser, @counter, @statement, @atMs)
           ON CONFLICT (key, browser) DO UPDATE SET counter = excluded.counter, statement = excluded.statement,
             stored_at_ms = excluded.stored_at_ms
           WHERE excluded.counter > heads_statement.counter`,
          { key, browser, counter, statement: bytes, atMs },
        );
        await session.execute(
          `DELETE FROM heads_statement WHERE key = @key AND browser <> @browser AND browser NOT IN
             (SELECT browser FROM heads_statement WHERE key = @key AND browser <> @browser
              ORDER BY stored_at_ms DESC, browser LIMIT @others)`,
          { key, browser, others: BROWSERS_PER_KEY_MAX - 1 },
        );
        return stored === 0 ? 'rollback' : 'stored';
      }),
    ofKeys: (keys) =>
      database.rows<StoredHeads>(
        `SELECT key, statement FROM heads_statement WHERE key = ANY(@keys::bytea[]) ORDER BY key, browser`,
        { keys: keys.map((key) => Buffer.from(key)) },
      ),
  };
}
