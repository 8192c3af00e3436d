import type { RecordStore } from '../store.js';
import type { Database } from './database.js';

/** Receive times that a wrong clock wrote. */
export function postgresReceiveTimes(database: Database): Pick<RecordStore, 'correctTimes' | 'keepLonger'> {
  return {
    correctTimes: (laterThanMs, nowMs, limit) =>
      database.execute(
        `UPDATE record_key SET received_at_ms = least(received_at_ms, @nowMs),
           kept_from_ms = CASE WHEN kept_from_ms > @nowMs THEN @nowMs ELSE kept_from_ms END
         WHERE (device, epoch, seq) IN (SELECT device, epoch, seq FROM record_key
           WHERE coalesce(kept_from_ms, received_at_ms) > @laterThanMs LIMIT @limit FOR UPDATE SKIP LOCKED)`,
        { laterThanMs, nowMs, limit },
      ),
    keepLonger: async (fromMs, toMs, byMs) => {
      await database.execute(
        `UPDATE record_key SET kept_from_ms = received_at_ms + @byMs::bigint
         WHERE received_at_ms BETWEEN @fromMs AND @toMs AND kept_from_ms IS NULL`,
        { fromMs, toMs, byMs },
      );
    },
  };
}
