import { ALARMS_PER_PLACE_MAX, QUARANTINE_BYTES_MAX, QUARANTINE_MAX, REASON_MAX } from '../bounds.js';
import type { Alarm, AlarmStore, QuarantineStore } from '../store.js';
import type { Database } from './database.js';

type Guard = <T>(run: () => T) => Promise<T>;

function bytesOrNull(column: Uint8Array | null): Uint8Array | null {
  return column === null ? null : new Uint8Array(column);
}

export function sqliteQuarantine(db: Database, guard: Guard): QuarantineStore {
  const insert = db.prepare('INSERT INTO quarantine (at_ms, device, verdict, reason, bytes) VALUES (?, ?, ?, ?, ?)');
  const trim = db.prepare('DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?');
  const count = db.prepare<unknown[], { readonly count: number }>('SELECT count(*) AS count FROM quarantine');
  const newest = db.prepare<
    unknown[],
    {
      readonly id: number;
      readonly at_ms: number;
      readonly device: Uint8Array | null;
      readonly verdict: string;
      readonly reason: string;
      readonly bytes: Uint8Array;
    }
  >('SELECT * FROM quarantine ORDER BY id DESC LIMIT ?');
  return {
    put: ({ atMs, device, verdict, reason, bytes }) =>
      guard(() =>
        db
          .transaction(() => {
            const kept = bytes.subarray(0, QUARANTINE_BYTES_MAX);
            const { lastInsertRowid } = insert.run(atMs, device, verdict, reason.slice(0, REASON_MAX), kept);
            trim.run(QUARANTINE_MAX);
            return Number(lastInsertRowid);
          })
          .immediate(),
      ),
    count: () => guard(() => count.get()?.count ?? 0),
    newest: (limit) =>
      guard(() =>
        newest.all(limit).map(({ at_ms, device, bytes, ...rest }) => ({
          ...rest,
          atMs: at_ms,
          device: bytesOrNull(device),
          bytes: new Uint8Array(bytes),
        })),
      ),
  };
}

export function sqliteAlarms(db: Database, guard: Guard): AlarmStore {
  const insert = db.prepare(
    `INSERT INTO alarm (at_ms, place, verdict, device, epoch, reader, reason, quarantine_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const trim = db.prepare(
    `DELETE FROM alarm WHERE place = ? AND id <=
       (SELECT id FROM alarm WHERE place = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`,
  );
  const since = db.prepare<
    unknown[],
    {
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
  >('SELECT * FROM alarm WHERE at_ms >= ? ORDER BY id DESC LIMIT ?');
  return {
    put: ({ atMs, place, verdict, device, epoch, reader, reason, quarantineId }) =>
      guard(() => {
        db.transaction(() => {
          insert.run(atMs, place, verdict, device, epoch, reader, reason.slice(0, REASON_MAX), quarantineId);
          trim.run(place, place, ALARMS_PER_PLACE_MAX);
        }).immediate();
      }),
    since: (sinceMs, limit) =>
      guard(() =>
        since.all(sinceMs, limit).map(({ at_ms, device, reader, quarantine_id, ...rest }) => ({
          ...rest,
          atMs: at_ms,
          device: bytesOrNull(device),
          reader: bytesOrNull(reader),
          quarantineId: quarantine_id,
        })),
      ),
  };
}
