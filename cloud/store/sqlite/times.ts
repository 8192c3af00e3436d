import type { TimeStore } from '../store.js';
import type { Database, Guard } from './database.js';

export function sqliteTimes(db: Database, guard: Guard): TimeStore {
  const newest = db.prepare<[], { readonly at_ms: number }>('SELECT at_ms FROM newest_time');
  const raise = db.prepare<{ atMs: number }>(
    `INSERT INTO newest_time (id, at_ms) VALUES (1, @atMs)
     ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms WHERE excluded.at_ms > at_ms`,
  );
  return {
    newest: () => guard(() => newest.get()?.at_ms ?? null),
    raise: (atMs) => guard(() => void raise.run({ atMs })),
  };
}
