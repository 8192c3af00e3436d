import type { TimeStore } from '../store.js';
import type { Database } from './database.js';

export function postgresTimes(database: Database): TimeStore {
  return {
    newest: async () => {
      const [row] = await database.rows<{ readonly at_ms: number }>('SELECT at_ms FROM newest_time');
      return row?.at_ms ?? null;
    },
    raise: async (atMs) => {
      await database.execute(
        `INSERT INTO newest_time (id, at_ms) VALUES (1, @atMs)
         ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms WHERE excluded.at_ms > newest_time.at_ms`,
        { atMs },
      );
    },
  };
}
