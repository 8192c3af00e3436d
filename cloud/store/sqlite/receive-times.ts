import type { RecordStore } from '../store.js';
import type { Database, Guard } from './database.js';

/** Receive times that a wrong clock wrote; call it inside `records`. */
export function sqliteReceiveTimes(db: Database, guard: Guard): Pick<RecordStore, 'correctTimes' | 'keepLonger'> {
  const correct = db.prepare<{ laterThanMs: number; nowMs: number; limit: number }>(
    `UPDATE record SET received_at_ms = min(received_at_ms, @nowMs), kept_from_ms = min(kept_from_ms, @nowMs)
     WHERE id IN (SELECT id FROM record WHERE coalesce(kept_from_ms, received_at_ms) > @laterThanMs LIMIT @limit)`,
  );
  const keepLonger = db.prepare<{ fromMs: number; toMs: number; byMs: number }>(
    `UPDATE record SET kept_from_ms = received_at_ms + @byMs
     WHERE received_at_ms BETWEEN @fromMs AND @toMs AND kept_from_ms IS NULL`,
  );
  return {
    correctTimes: (laterThanMs, nowMs, limit) => guard(() => correct.run({ laterThanMs, nowMs, limit }).changes),
    keepLonger: (fromMs, toMs, byMs) => guard(() => void keepLonger.run({ fromMs, toMs, byMs })),
  };
}
