import {
  ALARMS_PER_PLACE_MAX,
  ALARMS_PER_SOURCE_MAX,
  QUARANTINE_BYTES_MAX,
  QUARANTINE_MAX,
  REASON_MAX,
} from '../bounds.js';
import { bytesOrNull } from '../rows.js';
import type { Alarm, AlarmStore, QuarantineEntry, QuarantineStore } from '../store.js';
import type { Database, Guard } from './database.js';

interface QuarantineColumns {
  readonly id: number;
  readonly at_ms: number;
  readonly device: Uint8Array | null;
  readonly verdict: string;
  readonly reason: string;
  readonly bytes: Uint8Array;
}

export function sqliteQuarantine(db: Database, guard: Guard): QuarantineStore {
  const insert = db.prepare<QuarantineEntry>(
    'INSERT INTO quarantine (at_ms, device, verdict, reason, bytes) VALUES (@atMs, @device, @verdict, @reason, @bytes)',
  );
  const trim = db.prepare<{ most: number }>(
    'DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - @most',
  );
  const count = db.prepare<[], { readonly count: number }>('SELECT count(*) AS count FROM quarantine');
  const newest = db.prepare<{ limit: number }, QuarantineColumns>(
    'SELECT * FROM quarantine ORDER BY id DESC LIMIT @limit',
  );
  return {
    put: ({ atMs, device, verdict, reason, bytes }) =>
      guard(() =>
        db
          .transaction(() => {
            const { lastInsertRowid } = insert.run({
              atMs,
              device,
              verdict,
              reason: reason.slice(0, REASON_MAX),
              bytes: bytes.subarray(0, QUARANTINE_BYTES_MAX),
            });
            trim.run({ most: QUARANTINE_MAX });
            return Number(lastInsertRowid);
          })
          .immediate(),
      ),
    count: () => guard(() => count.get()?.count ?? 0),
    newest: (limit) =>
      guard(() =>
        newest.all({ limit }).map(({ at_ms, device, bytes, ...rest }) => ({
          ...rest,
          atMs: at_ms,
          device: bytesOrNull(device),
          bytes: new Uint8Array(bytes),
        })),
      ),
  };
}

interface AlarmColumns {
  readonly id: number;
  readonly at_ms: number;
  readonly place: Alarm['place'];
  readonly verdict: string;
  readonly device: Uint8Array | null;
  readonly epoch: number | null;
  readonly reader: Uint8Array | null;
  readonly reason: string;
  readonly quarantine_id: number | null;
}

export function sqliteAlarms(db: Database, guard: Guard): AlarmStore {
  const insert = db.prepare<Alarm>(
    `INSERT INTO alarm (at_ms, place, verdict, device, epoch, reader, reason, quarantine_id)
     VALUES (@atMs, @place, @verdict, @device, @epoch, @reader, @reason, @quarantineId)`,
  );
  const trim = db.prepare<{ place: Alarm['place']; most: number }>(
    `DELETE FROM alarm WHERE place = @place AND id <=
       (SELECT id FROM alarm WHERE place = @place ORDER BY id DESC LIMIT 1 OFFSET @most)`,
  );
  const trimDevice = db.prepare<Alarm & { most: number }>(
    `DELETE FROM alarm WHERE place = @place AND device IS @device AND id <=
       (SELECT id FROM alarm WHERE place = @place AND device IS @device ORDER BY id DESC LIMIT 1 OFFSET @most)`,
  );
  const trimReader = db.prepare<Alarm & { most: number }>(
    `DELETE FROM alarm WHERE place = @place AND reader IS @reader AND id <=
       (SELECT id FROM alarm WHERE place = @place AND reader IS @reader ORDER BY id DESC LIMIT 1 OFFSET @most)`,
  );
  const since = db.prepare<{ sinceMs: number; limit: number }, AlarmColumns>(
    'SELECT * FROM alarm WHERE at_ms >= @sinceMs ORDER BY id DESC LIMIT @limit',
  );
  return {
    put: (alarm) =>
      guard(() => {
        db.transaction(() => {
          insert.run({ ...alarm, reason: alarm.reason.slice(0, REASON_MAX) });
          const source = alarm.place === 'app' ? trimReader : trimDevice;
          source.run({ ...alarm, most: ALARMS_PER_SOURCE_MAX });
          trim.run({ place: alarm.place, most: ALARMS_PER_PLACE_MAX });
        }).immediate();
      }),
    since: (sinceMs, limit) =>
      guard(() =>
        since.all({ sinceMs, limit }).map(({ at_ms, device, reader, quarantine_id, ...rest }) => ({
          ...rest,
          atMs: at_ms,
          device: bytesOrNull(device),
          reader: bytesOrNull(reader),
          quarantineId: quarantine_id,
        })),
      ),
  };
}
