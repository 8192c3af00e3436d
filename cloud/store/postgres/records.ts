import { isCovered } from '../loss-ranges.js';
import { storedRecord, type RecordColumns } from '../rows.js';
import type { CameraStatus, RecordStore, StoredRecord } from '../store.js';
import { tuples, type Database } from './database.js';
import type { Partitions } from './partitions.js';
import { expire } from './retention.js';
import { Writer } from './writer.js';

/** The key says what is there; its bytes lie in the partition that it names. */
export const RECORD = `SELECT k.id, k.device, k.epoch, k.seq, k.hash, b.bytes, k.received_at_ms
  FROM record_key AS k JOIN record_body AS b USING (device, epoch, seq, day)`;

export function postgresRecords(database: Database, partitions: Partitions): RecordStore {
  const writer = new Writer(database, partitions);
  const records = async (rest: string, values: readonly unknown[]): Promise<StoredRecord[]> =>
    (await database.rows<RecordColumns>(`${RECORD} ${rest}`, values)).map(storedRecord);
  const number = async (text: string, values: readonly unknown[]): Promise<number | undefined> =>
    (await database.rows<{ readonly n: number | null }>(text, values))[0]?.n ?? undefined;

  return {
    put: (record, media, atMs) => writer.put(record, media, atMs),
    get: async (device, epoch, seq) =>
      (await records('WHERE k.device = $1 AND k.epoch = $2 AND k.seq = $3', [device, epoch, seq]))[0],
    page: (device, epoch, before, limit) =>
      records('WHERE k.device = $1 AND k.epoch = $2 AND k.seq < $3 ORDER BY k.seq DESC LIMIT $4', [
        device,
        epoch,
        before,
        limit,
      ]),
    since: (id, epochs, limit) =>
      records(
        `JOIN unnest($1::bytea[], $2::bigint[]) AS e (device, epoch) USING (device, epoch)
         WHERE k.id > $3 AND k.id < arrival_horizon() ORDER BY k.id LIMIT $4`,
        [epochs.map(({ device }) => Buffer.from(device)), epochs.map(({ epoch }) => epoch), id, limit],
      ),
    arrivals: (id, limit) =>
      database.rows(
        `SELECT id, device, epoch, seq, kind FROM record_key
         WHERE id > $1 AND id < arrival_horizon() ORDER BY id LIMIT $2`,
        [id, limit],
      ),
    lastId: async () => (await number('SELECT max(id) AS n FROM record_key WHERE id < arrival_horizon()', [])) ?? 0,
    chainFacts: async (device, epoch, seq) => {
      const [facts] = await database.rows<{
        readonly hash: Uint8Array | null;
        readonly before: number | null;
        readonly drained: number | null;
      }>(
        `SELECT (SELECT hash FROM record_key WHERE device = $1 AND epoch = $2 AND seq = $3::bigint - 1) AS hash,
           (SELECT max(seq) FROM record_key WHERE device = $1 AND epoch = $2 AND seq < $3) AS before,
           (SELECT up_to FROM drained WHERE device = $1 AND epoch = $2) AS drained`,
        [device, epoch, seq],
      );
      const drainedUpTo = facts?.drained ?? -1;
      const predecessor = facts?.hash ?? undefined;
      if (predecessor !== undefined) return { predecessor, missing: 0, missingSigned: false, drainedUpTo };
      const from = (facts?.before ?? -1) + 1;
      const losses = await database.rows<{ readonly from_seq: number; readonly to_seq: number }>(
        `SELECT from_seq, to_seq FROM loss
         WHERE device = $1 AND epoch = $2 AND to_seq >= $3 AND from_seq < $4 ORDER BY from_seq`,
        [device, epoch, from, seq],
      );
      return { predecessor, missing: seq - from, missingSigned: isCovered(losses, from, seq - 1), drainedUpTo };
    },
    bounds: async (device, epoch) => {
      const [row] = await database.rows<Record<'lowest' | 'highest' | 'received', number | null>>(
        `SELECT min(seq) AS lowest, max(seq) AS highest, max(received_at_ms) AS received
         FROM record_key WHERE device = $1 AND epoch = $2`,
        [device, epoch],
      );
      if (row === undefined || row.lowest === null || row.highest === null) return undefined;
      return { lowest: row.lowest, highest: row.highest, lastReceivedAtMs: row.received ?? 0 };
    },
    latestHealth: async (device, epoch) =>
      (
        await records(`WHERE k.device = $1 AND k.epoch = $2 AND k.kind = 'health' ORDER BY k.seq DESC LIMIT 1`, [
          device,
          epoch,
        ])
      )[0],
    mediaPresent: async (device, epoch, ids) => {
      if (ids.length === 0) return [];
      const { text, values } = tuples(
        ['bytea', 'integer'],
        ids.map((id, i) => [id, i]),
      );
      const rows = await database.rows<{ readonly there: boolean }>(
        `SELECT EXISTS (SELECT 1 FROM media_key WHERE device = $${String(values.length + 1)}
           AND epoch = $${String(values.length + 2)} AND media_id = wanted.id) AS there
         FROM (VALUES ${text}) AS wanted (id, place) ORDER BY place`,
        [...values, device, epoch],
      );
      return rows.map(({ there }) => there);
    },
    media: async (device, epoch, id) => {
      const [row] = await database.rows<{
        readonly header: Uint8Array;
        readonly body: Uint8Array;
        readonly seq: number;
      }>(
        `SELECT b.header, b.body, k.seq FROM media_key AS k JOIN media_body AS b USING (device, epoch, media_id, day)
         WHERE k.device = $1 AND k.epoch = $2 AND k.media_id = $3`,
        [device, epoch, id],
      );
      return row === undefined ? undefined : { sealed: { header: row.header, body: row.body }, seq: row.seq };
    },
    isLossSigned: async (device, epoch, mediaId) =>
      (await number('SELECT 1::bigint AS n FROM media_loss WHERE device = $1 AND epoch = $2 AND media_id = $3', [
        device,
        epoch,
        mediaId,
      ])) !== undefined,
    setStatus: async (device, { online, agent, atMs }) => {
      await database.execute(
        `INSERT INTO status (device, online, agent, at_ms) VALUES ($1, $2, $3, $4)
         ON CONFLICT (device) DO UPDATE SET online = excluded.online, agent = excluded.agent, at_ms = excluded.at_ms`,
        [device, online, agent, atMs],
      );
    },
    status: async (device) => {
      const [row] = await database.rows<Omit<CameraStatus, 'atMs'> & { readonly at_ms: number }>(
        'SELECT online, agent, at_ms FROM status WHERE device = $1',
        [device],
      );
      return row === undefined ? undefined : { online: row.online, agent: row.agent, atMs: row.at_ms };
    },
    onlineCount: async () => (await number('SELECT count(*) AS n FROM status WHERE online', [])) ?? 0,
    expire: (beforeMs, limit) => expire(database, partitions, beforeMs, limit),
  };
}
