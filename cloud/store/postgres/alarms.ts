import { ALARMS_PER_PLACE_MAX, QUARANTINE_BYTES_MAX, QUARANTINE_MAX, REASON_MAX } from '../bounds.js';
import type { Alarm, AlarmStore, QuarantineEntry, QuarantineStore } from '../store.js';
import type { Database } from './database.js';

export function postgresQuarantine(database: Database): QuarantineStore {
  return {
    put: ({ atMs, device, verdict, reason, bytes }) =>
      database.transaction('READ COMMITTED', async (session) => {
        const [row] = await session.rows<{ readonly id: number }>(
          'INSERT INTO quarantine (at_ms, device, verdict, reason, bytes) VALUES ($1, $2, $3, $4, $5) RETURNING id',
          [atMs, device, verdict, reason.slice(0, REASON_MAX), bytes.subarray(0, QUARANTINE_BYTES_MAX)],
        );
        await session.execute('DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - $1', [
          QUARANTINE_MAX,
        ]);
        return row?.id ?? 0;
      }),
    count: async () => {
      const [row] = await database.rows<{ readonly n: number }>('SELECT count(*) AS n FROM quarantine');
      return row?.n ?? 0;
    },
    newest: async (limit) => {
      const rows = await database.rows<Omit<QuarantineEntry, 'atMs'> & { readonly at_ms: number }>(
        'SELECT * FROM quarantine ORDER BY id DESC LIMIT $1',
        [limit],
      );
      return rows.map(({ at_ms: atMs, ...rest }) => ({ ...rest, atMs }));
    },
  };
}

export function postgresAlarms(database: Database): AlarmStore {
  return {
    put: ({ atMs, place, verdict, device, epoch, reader, reason, quarantineId }) =>
      database.transaction('READ COMMITTED', async (session) => {
        await session.execute(
          `INSERT INTO alarm (at_ms, place, verdict, device, epoch, reader, reason, quarantine_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
          [atMs, place, verdict, device, epoch, reader, reason.slice(0, REASON_MAX), quarantineId],
        );
        await session.execute(
          `DELETE FROM alarm WHERE place = $1 AND id <=
             (SELECT id FROM alarm WHERE place = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)`,
          [place, ALARMS_PER_PLACE_MAX],
        );
      }),
    since: async (sinceMs, limit) => {
      const rows = await database.rows<
        Omit<Alarm, 'atMs' | 'quarantineId'> & {
          readonly id: number;
          readonly at_ms: number;
          readonly quarantine_id: number | null;
        }
      >('SELECT * FROM alarm WHERE at_ms >= $1 ORDER BY id DESC LIMIT $2', [sinceMs, limit]);
      return rows.map(({ at_ms: atMs, quarantine_id: quarantineId, ...rest }) => ({ ...rest, atMs, quarantineId }));
    },
  };
}
