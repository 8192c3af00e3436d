import type { ReadsChange, ReadsPause, ReadsStore } from '../store.js';
import type { Database } from './database.js';

type Guard = <T>(run: () => T) => Promise<T>;

const EVERYBODY = new Uint8Array(0);

interface PauseColumns {
  readonly account: Uint8Array;
  readonly sentence: string;
  readonly since_ms: number;
}

interface ChangeColumns {
  readonly at_ms: number;
  readonly action: ReadsChange['action'];
  readonly account: Uint8Array;
  readonly sentence: string | null;
}

function accountOf(column: Uint8Array): Uint8Array | null {
  return column.length === 0 ? null : new Uint8Array(column);
}

function pauseOf({ account, sentence, since_ms }: PauseColumns): ReadsPause {
  return { account: accountOf(account), sentence, sinceMs: since_ms };
}

export function sqliteReads(db: Database, guard: Guard): ReadsStore {
  const one = db.prepare<unknown[], PauseColumns>('SELECT * FROM reads_pause WHERE account = ?');
  // The empty account sorts first: everybody, then one by one.
  const all = db.prepare<unknown[], PauseColumns>('SELECT * FROM reads_pause ORDER BY account');
  const put = db.prepare('INSERT OR REPLACE INTO reads_pause (account, sentence, since_ms) VALUES (?, ?, ?)');
  const drop = db.prepare('DELETE FROM reads_pause WHERE account = ?');
  const log = db.prepare('INSERT INTO reads_change (at_ms, action, account, sentence) VALUES (?, ?, ?, ?)');
  const changes = db.prepare<unknown[], ChangeColumns>('SELECT * FROM reads_change ORDER BY id DESC LIMIT ?');
  return {
    pauseOf: (accounts) =>
      guard(() => {
        for (const account of [EVERYBODY, ...accounts]) {
          const found = one.get(account);
          if (found !== undefined) return pauseOf(found);
        }
        return undefined;
      }),
    pause: ({ account, sentence, sinceMs }) =>
      guard(() => {
        db.transaction(() => {
          put.run(account ?? EVERYBODY, sentence, sinceMs);
          log.run(sinceMs, 'pause', account ?? EVERYBODY, sentence);
        }).immediate();
      }),
    resume: (account, atMs) =>
      guard(() =>
        db
          .transaction(() => {
            if (drop.run(account ?? EVERYBODY).changes === 0) return false;
            log.run(atMs, 'resume', account ?? EVERYBODY, null);
            return true;
          })
          .immediate(),
      ),
    pauses: () => guard(() => all.all().map(pauseOf)),
    changes: (limit) =>
      guard(() =>
        changes.all(limit).map(({ at_ms, action, account, sentence }) => ({
          atMs: at_ms,
          action,
          sentence,
          account: accountOf(account),
        })),
      ),
  };
}
