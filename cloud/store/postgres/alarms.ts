import {
  ALARMS_PER_PLACE_MAX,
  ALARMS_PER_SOURCE_MAX,
  QUARANTINE_BYTES_MAX,
  QUARANTINE_MAX,
  REASON_MAX,
} from '../bounds.js';
import type { Alarm, AlarmStore, QuarantineEntry, QuarantineStore } from '../store.js';
import type { Database } from './database.js';

export function postgresQuarantine(database: Database): QuarantineStore {
  return {
    put: ({ atMs, device, verdict, reason, bytes }) =>
      database.transaction('READ COMMITTED', async (session) => {
        const [row] = await session.rows<{ readonly id: number }>(
          `INSERT INTO quarantine (at_ms, device, verdict, reason, bytes)
           VALUES (@atMs, @device, @verdict, @reason, @bytes) RETURNING id`,
          {
            atMs,
            device,
            verdict,
            reason: reason.slice(0, REASON_MAX),
            bytes: bytes.subarray(0, QUARANTINE_BYTES_MAX),
          },
        );
        await session.execute('DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - @most', {
          most: QUARANTINE_MAX,
        });
        return row?.id ?? 0;
      }),
    count: async () => {
      const [row] = await database.rows<{ readonly n: number }>('SELECT count(*) AS n FROM quarantine');
      return row?.n ?? 0;
    },
    newest: async (limit) => {
      const rows = await database.rows<Omit<QuarantineEntry, 'atMs'> & { readonly at_ms: number }>(
        'SELECT * FROM quarantine ORDER BY id DESC LIMIT @limit',
        { limit },
      );
      return rows.map(({ at_ms: atMs, ...rest }) => ({ ...rest, atMs }));
    },
  };
}

interface AlarmColumns extends Omit<Alarm, 'atMs' | 'quarantineId'> {
  readonly id: number;
  readonly at_ms: number;
  readonly quarantine_id: number | null;
}

export function postgresAlarms(database: Database): AlarmStore {
  return {
    put: (alarm) =>
      database.transaction('READ COMMITTED', async (session) => {
        await session.execute(
          `INSERT INTO alarm (at_ms, place, verdict, device, epoch, reader, reason, quarantine_id)
           VALUES (@atMs, @place, @verdict, @device, @epoch, @reader, @reason, @quarantineId)`,
          { ...alarm, reason: alarm.reason.slice(0, REASON_MAX) },
        );
        const column = alarm.place === 'app' ? 'reader' : 'device';
        const ofSource = `place = @place AND ${column} IS NOT DISTINCT FROM @source::bytea`;
        await session.execute(
          `DELETE FROM alarm WHERE ${ofSource} AND id <=
             (SELECT id FROM alarm WHERE ${ofSource} ORDER BY id DESC LIMIT 1 OFFSET @most)`,
          { place: alarm.place, source: alarm[column], most: ALARMS_PER_SOURCE_MAX },
        );
        await session.execute(
          `DELETE FROM alarm WHERE place = @place AND id <=
             (SELECT id FROM alarm WHERE place = @place ORDER BY id DESC LIMIT 1 OFFSET @most)`,
          { place: alarm.place, most: ALARMS_PER_PLACE_MAX },
        );
      }),
    since: async (sinceMs, limit) => {
      const rows = await database.rows<AlarmColumns>(
        'SELECT * FROM alarm WHERE at_ms >= @sinceMs ORDER BY id DESC LIMIT @limit',
        { sinceMs, limit },
      );
      return rows.map(({ at_ms: atMs, quarantine_id: quarantineId, ...rest }) => ({ ...rest, atMs, quarantineId }));
    },
  };
}
