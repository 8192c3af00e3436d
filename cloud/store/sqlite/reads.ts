import { EVERYBODY, readsChange, readsPause, type ChangeColumns, type PauseColumns } from '../rows.js';
import type { ReadsStore } from '../store.js';
import type { Database, Guard } from './database.js';

export function sqliteReads(db: Database, guard: Guard): ReadsStore {
  const selectOne = db.prepare<{ account: Uint8Array }, PauseColumns>(
    'SELECT * FROM reads_pause WHERE account = @account',
  );
  const selectAll = db.prepare<[], PauseColumns>('SELECT * FROM reads_pause ORDER BY account');
  const put = db.prepare<PauseColumns>(
    'INSERT OR REPLACE INTO reads_pause (account, sentence, since_ms) VALUES (@account, @sentence, @since_ms)',
  );
  const remove = db.prepare<{ account: Uint8Array }>('DELETE FROM reads_pause WHERE account = @account');
  const log = db.prepare<ChangeColumns>(
    'INSERT INTO reads_change (at_ms, action, account, sentence) VALUES (@at_ms, @action, @account, @sentence)',
  );
  const changes = db.prepare<{ limit: number }, ChangeColumns>(
    'SELECT * FROM reads_change ORDER BY id DESC LIMIT @limit',
  );
  return {
    pauseOf: (accounts) =>
      guard(() => {
        for (const account of [EVERYBODY, ...accounts]) {
          const found = selectOne.get({ account });
          if (found !== undefined) return readsPause(found);
        }
        return undefined;
      }),
    pause: ({ account: scope, sentence, sinceMs }) =>
      guard(() => {
        const account = scope ?? EVERYBODY;
        db.transaction(() => {
          put.run({ account, sentence, since_ms: sinceMs });
          log.run({ at_ms: sinceMs, action: 'pause', account, sentence });
        }).immediate();
      }),
    resume: (scope, atMs) =>
      guard(() => {
        const account = scope ?? EVERYBODY;
        return db
          .transaction(() => {
            if (remove.run({ account }).changes === 0) return false;
            log.run({ at_ms: atMs, action: 'resume', account, sentence: null });
            return true;
          })
          .immediate();
      }),
    pauses: () => guard(() => selectAll.all().map(readsPause)),
    changes: (limit) => guard(() => changes.all({ limit }).map(readsChange)),
  };
}
