import { BROWSERS_PER_KEY_MAX } from '../bounds.js';
import type { HeadsStore, StoredHeads } from '../statement-store.js';
import type { Database, Guard } from './database.js';

interface HeadsParams {
  readonly key: Uint8Array;
  readonly browser: Uint8Array;
  readonly counter: number;
  readonly statement: Uint8Array;
  readonly atMs: number;
}

export function sqliteHeads(db: Database, guard: Guard): HeadsStore {
  const put = db.prepare<HeadsParams>(
    `INSERT INTO heads_statement (key, browser, counter, statement, stored_at_ms)
     VALUES (@key, @browser, @counter, @statement, @atMs)
     ON CONFLICT (key, browser) DO UPDATE SET counter = excluded.counter, statement = excluded.statement,
       stored_at_ms = excluded.stored_at_ms
     WHERE excluded.counter > heads_statement.counter`,
  );
  const trim = db.prepare<Pick<HeadsParams, 'key' | 'browser'> & { others: number }>(
    `DELETE FROM heads_statement WHERE key = @key AND browser <> @browser AND browser NOT IN
       (SELECT browser FROM heads_statement WHERE key = @key AND browser <> @browser
        ORDER BY stored_at_ms DESC, browser LIMIT @others)`,
  );
  const ofKey = db.prepare<{ key: Uint8Array }, StoredHeads>(
    'SELECT key, statement FROM heads_statement WHERE key = @key ORDER BY browser',
  );
  return {
    put: ({ kid: key, value: { browser, counter }, bytes }, atMs) =>
      guard(() =>
        db
          .transaction(() => {
            const { changes } = put.run({ key, browser, counter, statement: bytes, atMs });
            trim.run({ key, browser, others: BROWSERS_PER_KEY_MAX - 1 });
            return changes === 0 ? 'rollback' : 'stored';
          })
          .immediate(),
      ),
    ofKeys: (keys) =>
      guard(() =>
        keys
          .flatMap((key) => ofKey.all({ key }))
          .map(({ key, statement }) => ({ key: new Uint8Array(key), statement: new Uint8Array(statement) })),
      ),
  };
}
