import { isCovered } from '../../../protocol/verify/continuity.js';
import { lossRanges, notDeleted, storedRecord, type RecordColumns } from '../rows.js';
import type { CameraStatus, RecordStore, StoredRecord } from '../store.js';
import type { Database } from './database.js';
import type { Partitions } from './partitions.js';
import { postgresReceiveTimes } from './receive-times.js';
import type { Values } from './statements.js';
import { Writer } from './writer.js';

/** record_key lists which records exist; their bytes lie in the partition of the day that it names. */
export const SELECT_RECORD = `SELECT k.id, k.device, k.epoch, k.seq, k.hash, b.bytes, k.received_at_ms
  FROM record_key AS k JOIN record_body AS b USING (device, epoch, seq, day)`;

export function postgresRecords(database: Database, partitions: Partitions): RecordStore {
  const writer = new Writer(database, partitions);
  const isShown = notDeleted('k');
  const selectRecords = async (rest: string, values: Values): Promise<StoredRecord[]> =>
    (await database.rows<RecordColumns>(`${SELECT_RECORD} ${rest}`, values)).map(storedRecord);
  const selectNumber = async (text: string, values: Values = []): Promise<number | undefined> =>
    (await database.rows<{ readonly n: number | null }>(text, values))[0]?.n ?? undefined;

  return {
    put: (record, media, atMs, bind) => writer.put(record, media, atMs, bind),
    get: async (device, epoch, seq) => {
      const [record] = await selectRecords(
        `WHERE k.device = @device AND k.epoch = @epoch AND k.seq = @seq AND ${isShown}`,
        {
          device,
          epoch,
          seq,
        },
      );
      return record;
    },
    page: (device, epoch, before, limit) =>
      selectRecords(
        `WHERE k.device = @device AND k.epoch = @epoch AND k.seq < @before AND ${isShown}
         ORDER BY k.seq DESC LIMIT @limit`,
        { device, epoch, before, limit },
      ),
    since: (id, epochs, limit) =>
      selectRecords(
        `JOIN unnest(@devices::bytea[], @epochs::bigint[]) AS e (device, epoch) USING (device, epoch)
         WHERE k.id > @id AND k.id < arrival_horizon() AND ${isShown} ORDER BY k.id LIMIT @limit`,
        {
          devices: epochs.map(({ device }) => Buffer.from(device)),
          epochs: epochs.map(({ epoch }) => epoch),
          id,
          limit,
        },
      ),
    arrivals: (id, limit) =>
      database.rows(
        `SELECT id, device, epoch, seq, kind FROM record_key
         WHERE id > @id AND id < arrival_horizon() ORDER BY id LIMIT @limit`,
        { id, limit },
      ),
    lastId: async () => (await selectNumber('SELECT max(id) AS n FROM record_key WHERE id < arrival_horizon()')) ?? 0,
    chainFacts: async (device, epoch, seq) => {
      const [facts] = await database.rows<{
        readonly hash: Uint8Array | null;
        readonly before: number | null;
        readonly drained: number | null;
      }>(
        `SELECT
           (SELECT hash FROM record_key WHERE device = @device AND epoch = @epoch AND seq = @seq::bigint - 1) AS hash,
           (SELECT max(seq) FROM record_key WHERE device = @device AND epoch = @epoch AND seq < @seq) AS before,
           (SELECT up_to FROM drained WHERE device = @device AND epoch = @epoch) AS drained`,
        { device, epoch, seq },
      );
      const drainedUpTo = facts?.drained ?? -1;
      const predecessor = facts?.hash ?? undefined;
      if (predecessor !== undefined) return { predecessor, missing: 0, missingSigned: false, drainedUpTo };
      const from = (facts?.before ?? -1) + 1;
      const losses = await database.rows<{ readonly from_seq: number; readonly to_seq: number }>(
        `SELECT from_seq, to_seq FROM loss
         WHERE device = @device AND epoch = @epoch AND to_seq >= @from AND from_seq < @seq ORDER BY from_seq`,
        { device, epoch, from, seq },
      );
      return {
        predecessor,
        missing: seq - from,
        missingSigned: isCovered(lossRanges(losses), from, seq - 1),
        drainedUpTo,
      };
    },
    bounds: async (device, epoch) => {
      const [row] = await database.rows<Record<'lowest' | 'highest' | 'received', number | null>>(
        `SELECT min(seq) AS lowest, max(seq) AS highest, max(received_at_ms) AS received
         FROM record_key AS k WHERE device = @device AND epoch = @epoch AND ${isShown}`,
        { device, epoch },
      );
      if (row === undefined || row.lowest === null || row.highest === null) return undefined;
      return { lowest: row.lowest, highest: row.highest, lastReceivedAtMs: row.received ?? 0 };
    },
    latestHealth: async (device, epoch) => {
      const [record] = await selectRecords(
        `WHERE k.device = @device AND k.epoch = @epoch AND k.kind = 'health' AND ${isShown}
         ORDER BY k.seq DESC LIMIT 1`,
        { device, epoch },
      );
      return record;
    },
    mediaPresent: async (device, epoch, seq, ids) => {
      if (ids.length === 0) return [];
      const rows = await database.rows<{ readonly present: boolean }>(
        `SELECT EXISTS (SELECT 1 FROM media_key
           WHERE device = @device AND epoch = @epoch AND media_id = wanted.id AND seq = @seq) AS present
         FROM unnest(@ids::bytea[]) WITH ORDINALITY AS wanted (id, place) ORDER BY place`,
        { device, epoch, seq, ids: ids.map((id) => Buffer.from(id)) },
      );
      return rows.map(({ present }) => present);
    },
    media: async (device, epoch, mediaId) => {
      const [row] = await database.rows<{
        readonly header: Uint8Array;
        readonly body: Uint8Array;
        readonly seq: number;
      }>(
        `SELECT b.header, b.body, k.seq FROM media_key AS k JOIN media_body AS b USING (device, epoch, media_id, day)
         WHERE k.device = @device AND k.epoch = @epoch AND k.media_id = @mediaId`,
        { device, epoch, mediaId },
      );
      return row === undefined ? undefined : { sealed: { header: row.header, body: row.body }, seq: row.seq };
    },
    isLossSigned: async (device, epoch, mediaId) => {
      const found = await database.rows(
        'SELECT 1 FROM media_loss WHERE device = @device AND epoch = @epoch AND media_id = @mediaId',
        { device, epoch, mediaId },
      );
      return found.length > 0;
    },
    setStatus: async (device, { online, agent, atMs }) => {
      await database.execute(
        `INSERT INTO status (device, online, agent, at_ms) VALUES (@device, @online, @agent, @atMs)
         ON CONFLICT (device) DO UPDATE SET online = excluded.online, agent = excluded.agent, at_ms = excluded.at_ms`,
        { device, online, agent, atMs },
      );
    },
    status: async (device) => {
      const [row] = await database.rows<Omit<CameraStatus, 'atMs'> & { readonly at_ms: number }>(
        'SELECT online, agent, at_ms FROM status WHERE device = @device',
        { device },
      );
      return row === undefined ? undefined : { online: row.online, agent: row.agent, atMs: row.at_ms };
    },
    onlineCount: async () => (await selectNumber('SELECT count(*) AS n FROM status WHERE online')) ?? 0,
    ...postgresReceiveTimes(database),
  };
}
