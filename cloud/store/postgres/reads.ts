import { EVERYBODY, readsChange, readsPause, type ChangeColumns, type PauseColumns } from '../rows.js';
import type { ReadsStore } from '../store.js';
import type { Database } from './database.js';

const INSERT_CHANGE =
  'INSERT INTO reads_change (at_ms, action, account, sentence) VALUES (@at_ms, @action, @account, @sentence)';

export function postgresReads(database: Database): ReadsStore {
  return {
    pauseOf: async (accounts) => {
      const [columns] = await database.rows<PauseColumns>(
        'SELECT * FROM reads_pause WHERE account = ANY (@accounts::bytea[]) ORDER BY account LIMIT 1',
        { accounts: [EVERYBODY, ...accounts].map((account) => Buffer.from(account)) },
      );
      return columns === undefined ? undefined : readsPause(columns);
    },
    pause: async ({ account: scope, sentence, sinceMs }) => {
      const account = scope ?? EVERYBODY;
      await database.transaction('READ COMMITTED', async (session) => {
        await session.execute(
          `INSERT INTO reads_pause (account, sentence, since_ms) VALUES (@account, @sentence, @sinceMs)
           ON CONFLICT (account) DO UPDATE SET sentence = excluded.sentence, since_ms = excluded.since_ms`,
          { account, sentence, sinceMs },
        );
        await session.execute(INSERT_CHANGE, { at_ms: sinceMs, action: 'pause', account, sentence });
      });
    },
    resume: (scope, atMs) => {
      const account = scope ?? EVERYBODY;
      return database.transaction('READ COMMITTED', async (session) => {
        const dropped = await session.execute('DELETE FROM reads_pause WHERE account = @account', { account });
        if (dropped === 0) return false;
        await session.execute(INSERT_CHANGE, { at_ms: atMs, action: 'resume', account, sentence: null });
        return true;
      });
    },
    pauses: async () => {
      const rows = await database.rows<PauseColumns>('SELECT * FROM reads_pause ORDER BY account');
      return rows.map(readsPause);
    },
    changes: async (limit) => {
      const rows = await database.rows<ChangeColumns>('SELECT * FROM reads_change ORDER BY id DESC LIMIT @limit', {
        limit,
      });
      return rows.map(readsChange);
    },
  };
}
