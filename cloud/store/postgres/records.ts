import { isCovered } from '../../../protocol/verify/continuity.js';
import {
  isNeededKey,
  lossRanges,
  NEAREST_LOSSES,
  notDeleted,
  storedRecord,
  VISIBLE_RANGES,
  type RecordColumns,
} from '../rows.js';
import type { CameraStatus, RecordStore, StoredRecord } from '../store.js';
import type { Database } from './database.js';
import type { Partitions } from './partitions.js';
import { postgresReceiveTimes } from './receive-times.js';
import type { Values } from './statements.js';
import { Writer } from './writer.js';

/** record_key lists which records exist; their bytes lie in the partition of the day that it names. */
export const SELECT_RECORD = `SELECT k.id, k.device, k.epoch, k.seq, k.hash, b.bytes, k.received_at_ms
  FROM record_key AS k JOIN record_body AS b USING (device, epoch, seq, day)`;

/** The bodies of a few keys: a query that finds the keys first, and only then looks for each body. */
const BODIES_OF = (keys: string): string => `SELECT k.id, k.device, k.epoch, k.seq, k.hash, b.bytes, k.received_at_ms
  FROM (${keys}) AS k JOIN LATERAL (SELECT bytes FROM record_body AS b
    WHERE b.device = k.device AND b.epoch = k.epoch AND b.seq = k.seq AND b.day = k.day LIMIT 1) AS b ON true`;

/** Keys of an epoch in the ranges that are shown; `rest` orders and limits within one range, and then over all of them. */
const shownKeys = (where: string, rest: string): string =>
  `SELECT found.* FROM (${VISIBLE_RANGES}) AS shown, LATERAL (SELECT * FROM record_key AS k WHERE k.device = @device
     AND k.epoch = @epoch AND k.seq >= shown.lo AND k.seq < shown.hi ${where} ${rest}) AS found ${rest}`;

/**
 * When the last record of an epoch arrived. Written as a comparison of rows, which only the index of epochs can answer: for
 * `device = … ORDER BY id DESC` the planner may walk through the arrivals of all cameras.
 */
const LAST_ARRIVAL = `SELECT received_at_ms FROM (SELECT * FROM record_key
    WHERE (device, epoch, id) < (@device, @epoch, ${String(Number.MAX_SAFE_INTEGER)})
    ORDER BY device DESC, epoch DESC, id DESC LIMIT 1) AS last WHERE device = @device AND epoch = @epoch`;

const shownSeq = (rest: string): string => `SELECT seq FROM (${shownKeys('', rest)}) AS one`;

export function postgresRecords(database: Database, partitions: Partitions): RecordStore {
  const writer = new Writer(database, partitions);
  const isShown = notDeleted('k');
  const selectRecords = async (rest: string, values: Values): Promise<StoredRecord[]> =>
    (await database.rows<RecordColumns>(`${SELECT_RECORD} ${rest}`, values)).map(storedRecord);
  const selectByKeys = async (text: string, values: Values): Promise<StoredRecord[]> =>
    (await database.rows<RecordColumns>(text, values)).map(storedRecord);
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
      selectByKeys(`${BODIES_OF(shownKeys('', 'ORDER BY seq DESC LIMIT @limit'))} ORDER BY k.seq DESC`, {
        device,
        epoch,
        before,
        limit,
      }),
    since: (id, epochs, limit) =>
      selectByKeys(
        `${BODIES_OF(`SELECT found.* FROM unnest(@devices::bytea[], @epochs::bigint[]) AS e (device, epoch),
           LATERAL (SELECT * FROM record_key AS k WHERE (k.device, k.epoch, k.id) > (e.device, e.epoch, @id::bigint)
             AND (k.device, k.epoch, k.id) < (e.device, e.epoch, arrival_horizon()) AND ${isShown}
             ORDER BY k.device, k.epoch, k.id LIMIT @limit) AS found
           ORDER BY id LIMIT @limit`)} ORDER BY k.id`,
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
      const ofHole = 'SELECT from_seq, to_seq FROM loss WHERE device = @device AND epoch = @epoch AND from_seq < @seq';
      const isSigned = (rows: readonly { readonly from_seq: number; readonly to_seq: number }[]): boolean =>
        isCovered(lossRanges(rows), from, seq - 1);
      const missingSigned =
        isSigned(
          await database.rows(`${ofHole} ORDER BY from_seq DESC LIMIT @limit`, {
            device,
            epoch,
            seq,
            limit: NEAREST_LOSSES,
          }),
        ) || isSigned(await database.rows(`${ofHole} AND to_seq >= @from`, { device, epoch, from, seq }));
      return {
        predecessor,
        missing: seq - from,
        missingSigned,
        drainedUpTo,
      };
    },
    bounds: async (device, epoch) => {
      const [row] = await database.rows<Record<'lowest' | 'highest' | 'received', number | null>>(
        `SELECT (${shownSeq('ORDER BY seq LIMIT 1')}) AS lowest, (${shownSeq('ORDER BY seq DESC LIMIT 1')}) AS highest,
           (${LAST_ARRIVAL}) AS received`,
        { device, epoch, before: Number.MAX_SAFE_INTEGER },
      );
      if (row === undefined || row.lowest === null || row.highest === null) return undefined;
      return { lowest: row.lowest, highest: row.highest, lastReceivedAtMs: row.received ?? 0 };
    },
    latestHealth: async (device, epoch) => {
      const [record] = await selectByKeys(BODIES_OF(shownKeys("AND kind = 'health'", 'ORDER BY seq DESC LIMIT 1')), {
        device,
        epoch,
        before: Number.MAX_SAFE_INTEGER,
      });
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
    keyRecord: async (device, epoch, periodId) => {
      const [found] = await database.rows<
        RecordColumns & { readonly header: Uint8Array | null; body: Uint8Array | null }
      >(
        `SELECT k.id, k.device, k.epoch, k.seq, k.hash, b.bytes, k.received_at_ms, object.header, object.body
         FROM period AS asked JOIN record_key AS k USING (device, epoch, seq, hash)
         JOIN record_body AS b USING (device, epoch, seq, day)
         LEFT JOIN LATERAL (SELECT mb.header, mb.body FROM media_key AS m
           JOIN media_body AS mb USING (device, epoch, media_id, day)
           WHERE m.device = k.device AND m.epoch = k.epoch AND m.seq = k.seq LIMIT 1) AS object ON true
         WHERE asked.device = @device AND asked.epoch = @epoch AND asked.period_id = @periodId
           AND (${isShown} OR ${isNeededKey('k')})`,
        { device, epoch, periodId },
      );
      if (found === undefined) return undefined;
      const { header, body } = found;
      return { record: storedRecord(found), sealed: header === null || body === null ? null : { header, body } };
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
