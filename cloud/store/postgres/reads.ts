import type { ReadsChange, ReadsPause, ReadsStore } from '../store.js';
import type { Database } from './database.js';

const EVERYBODY = new Uint8Array(0);

interface PauseColumns {
  readonly account: Uint8Array;
  readonly sentence: string;
  readonly since_ms: number;
}

function accountOf(column: Uint8Array): Uint8Array | null {
  return column.length === 0 ? null : column;
}

function pauseOf({ account, sentence, since_ms }: PauseColumns): ReadsPause {
  return { account: accountOf(account), sentence, sinceMs: since_ms };
}

const LOG = 'INSERT INTO reads_change (at_ms, action, account, sentence) VALUES ($1, $2, $3, $4)';

export function postgresReads(database: Database): ReadsStore {
  return {
    pauseOf: async (accounts) => {
      // The empty account sorts first: everybody, then one by one.
      const [row] = await database.rows<PauseColumns>(
        'SELECT * FROM reads_pause WHERE account = ANY ($1::bytea[]) ORDER BY account LIMIT 1',
        [[EVERYBODY, ...accounts].map((account) => Buffer.from(account))],
      );
      return row === undefined ? undefined : pauseOf(row);
    },
    pause: async ({ account, sentence, sinceMs }) => {
      await database.transaction('READ COMMITTED', async (session) => {
        await session.execute(
          `INSERT INTO reads_pause (account, sentence, since_ms) VALUES ($1, $2, $3)
           ON CONFLICT (account) DO UPDATE SET sentence = excluded.sentence, since_ms = excluded.since_ms`,
          [account ?? EVERYBODY, sentence, sinceMs],
        );
        await session.execute(LOG, [sinceMs, 'pause', account ?? EVERYBODY, sentence]);
      });
    },
    resume: (account, atMs) =>
      database.transaction('READ COMMITTED', async (session) => {
        const dropped = await session.execute('DELETE FROM reads_pause WHERE account = $1', [account ?? EVERYBODY]);
        if (dropped === 0) return false;
        await session.execute(LOG, [atMs, 'resume', account ?? EVERYBODY, null]);
        return true;
      }),
    pauses: async () => (await database.rows<PauseColumns>('SELECT * FROM reads_pause ORDER BY account')).map(pauseOf),
    changes: async (limit) => {
      const rows = await database.rows<
        Pick<ReadsChange, 'action' | 'sentence'> & { readonly at_ms: number; readonly account: Uint8Array }
      >('SELECT * FROM reads_change ORDER BY id DESC LIMIT $1', [limit]);
      return rows.map(({ at_ms: atMs, action, account, sentence }) => ({
        atMs,
        action,
        sentence,
        account: accountOf(account),
      }));
    },
  };
}
