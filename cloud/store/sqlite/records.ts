import { isCovered, type ChainFacts } from '../../../protocol/verify/continuity.js';
import {
  isNeededKey,
  lossRanges,
  NEAREST_LOSSES,
  notDeleted,
  storedRecord,
  VISIBLE_RANGES,
  type RecordColumns,
} from '../rows.js';
import type { Arrival, EpochKey, RecordStore, StoredRecord } from '../store.js';
import type { Database, Guard } from './database.js';
import { sqliteReceiveTimes } from './receive-times.js';
import type { Writer } from './writer.js';

interface RecordKey extends EpochKey {
  readonly seq: number;
}

interface MediaKey extends EpochKey {
  readonly mediaId: Uint8Array;
}

/** Seqs from `lo` on and below `hi`. */
interface Range {
  readonly lo: number;
  readonly hi: number;
}

interface LossColumns {
  readonly from_seq: number;
  readonly to_seq: number;
}

export function sqliteRecords(db: Database, guard: Guard, writer: Writer): RecordStore {
  const OF_EPOCH = 'SELECT * FROM record WHERE device = @device AND epoch = @epoch';
  const selectOne = db.prepare<RecordKey, RecordColumns>(`${OF_EPOCH} AND seq = @seq AND ${notDeleted('record')}`);
  const visible = db.prepare<EpochKey & { before: number }, Range>(`${VISIBLE_RANGES} ORDER BY hi DESC`);
  const between = `${OF_EPOCH} AND seq >= @lo AND seq < @hi`;
  const page = db.prepare<EpochKey & Range & { limit: number }, RecordColumns>(
    `${between} ORDER BY seq DESC LIMIT @limit`,
  );
  const lowest = db.prepare<EpochKey & Range, RecordColumns>(`${between} ORDER BY seq LIMIT 1`);
  const since = db.prepare<EpochKey & { id: number; limit: number }, RecordColumns>(
    `SELECT * FROM record INDEXED BY record_by_epoch WHERE device = @device AND epoch = @epoch AND id > @id
       AND ${notDeleted('record')} ORDER BY id LIMIT @limit`,
  );
  const hashOf = db.prepare<RecordKey, { readonly hash: Uint8Array }>(
    'SELECT hash FROM record WHERE device = @device AND epoch = @epoch AND seq = @seq',
  );
  const arrivals = db.prepare<{ id: number; limit: number }, Arrival>(
    'SELECT id, device, epoch, seq, kind FROM record WHERE id > @id ORDER BY id LIMIT @limit',
  );
  const lastId = db.prepare<[], { readonly id: number | null }>('SELECT max(id) AS id FROM record');
  const seqBefore = db.prepare<RecordKey, { readonly seq: number }>(
    'SELECT seq FROM record WHERE device = @device AND epoch = @epoch AND seq < @seq ORDER BY seq DESC LIMIT 1',
  );
  const OF_HOLE = 'SELECT from_seq, to_seq FROM loss WHERE device = @device AND epoch = @epoch AND from_seq < @before';
  const nearestLosses = db.prepare<EpochKey & { before: number; limit: number }, LossColumns>(
    `${OF_HOLE} ORDER BY from_seq DESC LIMIT @limit`,
  );
  const losses = db.prepare<EpochKey & { from: number; before: number }, LossColumns>(`${OF_HOLE} AND to_seq >= @from`);
  const drained = db.prepare<EpochKey, { readonly up_to: number }>(
    'SELECT up_to FROM drained WHERE device = @device AND epoch = @epoch',
  );
  const lastArrival = db.prepare<EpochKey, { readonly received_at_ms: number }>(
    `SELECT received_at_ms FROM record INDEXED BY record_by_epoch WHERE device = @device AND epoch = @epoch
     ORDER BY id DESC LIMIT 1`,
  );
  const latestHealth = db.prepare<EpochKey & Range, RecordColumns>(
    `${between} AND kind = 'health' ORDER BY seq DESC LIMIT 1`,
  );
  const hasMedia = db.prepare<MediaKey & RecordKey>(
    'SELECT 1 FROM media WHERE device = @device AND epoch = @epoch AND media_id = @mediaId AND seq = @seq',
  );
  const selectMedia = db.prepare<
    MediaKey,
    { readonly header: Uint8Array; readonly body: Uint8Array; readonly seq: number }
  >('SELECT header, body, seq FROM media WHERE device = @device AND epoch = @epoch AND media_id = @mediaId');
  const keyRecord = db.prepare<EpochKey & { periodId: Uint8Array }, RecordColumns>(
    `SELECT record.* FROM period JOIN record USING (device, epoch, seq, hash)
     WHERE device = @device AND epoch = @epoch AND period_id = @periodId
       AND (${notDeleted('record')} OR ${isNeededKey('record')})`,
  );
  const mediaOf = db.prepare<RecordKey, { readonly header: Uint8Array; readonly body: Uint8Array }>(
    'SELECT header, body FROM media WHERE device = @device AND epoch = @epoch AND seq = @seq',
  );
  const mediaLoss = db.prepare<MediaKey>(
    'SELECT 1 FROM media_loss WHERE device = @device AND epoch = @epoch AND media_id = @mediaId',
  );
  const setStatus = db.prepare<{ device: Uint8Array; online: number; agent: string; atMs: number }>(
    'INSERT OR REPLACE INTO status (device, online, agent, at_ms) VALUES (@device, @online, @agent, @atMs)',
  );
  const status = db.prepare<
    { device: Uint8Array },
    { readonly online: number; readonly agent: string; readonly at_ms: number }
  >('SELECT online, agent, at_ms FROM status WHERE device = @device');
  const online = db.prepare<[], { readonly count: number }>('SELECT count(*) AS count FROM status WHERE online = 1');
  function chainFacts(device: Uint8Array, epoch: number, seq: number): ChainFacts {
    const predecessor = hashOf.get({ device, epoch, seq: seq - 1 });
    const drainedUpTo = drained.get({ device, epoch })?.up_to ?? -1;
    if (predecessor !== undefined) {
      return { predecessor: new Uint8Array(predecessor.hash), missing: 0, missingSigned: false, drainedUpTo };
    }
    const from = (seqBefore.get({ device, epoch, seq })?.seq ?? -1) + 1;
    const nearest = nearestLosses.all({ device, epoch, before: seq, limit: NEAREST_LOSSES });
    const isSigned = (rows: readonly LossColumns[]): boolean => isCovered(lossRanges(rows), from, seq - 1);
    const missingSigned = isSigned(nearest) || isSigned(losses.all({ device, epoch, from, before: seq }));
    return { predecessor: undefined, missing: seq - from, missingSigned, drainedUpTo };
  }

  const rangesOf = (device: Uint8Array, epoch: number, before = Number.MAX_SAFE_INTEGER): readonly Range[] =>
    visible.all({ device, epoch, before });

  function pageOf(device: Uint8Array, epoch: number, before: number, limit: number): readonly StoredRecord[] {
    const found: StoredRecord[] = [];
    for (const range of rangesOf(device, epoch, before)) {
      if (found.length >= limit) break;
      found.push(...page.all({ device, epoch, ...range, limit: limit - found.length }).map(storedRecord));
    }
    return found;
  }

  function boundsOf(device: Uint8Array, epoch: number): Awaited<ReturnType<RecordStore['bounds']>> {
    const ranges = rangesOf(device, epoch);
    const first = firstOf([...ranges].reverse(), (range) => lowest.get({ device, epoch, ...range }));
    const last = firstOf(ranges, (range) => page.get({ device, epoch, ...range, limit: 1 }));
    if (first === undefined || last === undefined) return undefined;
    const lastReceivedAtMs = lastArrival.get({ device, epoch })?.received_at_ms ?? 0;
    return { lowest: first.seq, highest: last.seq, lastReceivedAtMs };
  }

  return {
    put: (record, media, atMs, bind) => writer.put(record, media, atMs, bind),
    get: (device, epoch, seq) =>
      guard(() => {
        const columns = selectOne.get({ device, epoch, seq });
        return columns === undefined ? undefined : storedRecord(columns);
      }),
    page: (device, epoch, before, limit) => guard(() => pageOf(device, epoch, before, limit)),
    since: (id, epochs, limit) =>
      guard(() =>
        epochs
          .flatMap(({ device, epoch }) => since.all({ device, epoch, id, limit }).map(storedRecord))
          .sort((a, b) => a.id - b.id)
          .slice(0, limit),
      ),
    arrivals: (id, limit) =>
      guard(() =>
        arrivals.all({ id, limit }).map(({ device, ...rest }) => ({ ...rest, device: new Uint8Array(device) })),
      ),
    lastId: () => guard(() => lastId.get()?.id ?? 0),
    chainFacts: (device, epoch, seq) => guard(() => chainFacts(device, epoch, seq)),
    bounds: (device, epoch) => guard(() => boundsOf(device, epoch)),
    latestHealth: (device, epoch) =>
      guard(() => {
        const columns = firstOf(rangesOf(device, epoch), (range) => latestHealth.get({ device, epoch, ...range }));
        return columns === undefined ? undefined : storedRecord(columns);
      }),
    mediaPresent: (device, epoch, seq, ids) =>
      guard(() => ids.map((mediaId) => hasMedia.get({ device, epoch, seq, mediaId }) !== undefined)),
    media: (device, epoch, mediaId) =>
      guard(() => {
        const row = selectMedia.get({ device, epoch, mediaId });
        if (row === undefined) return undefined;
        return { sealed: { header: new Uint8Array(row.header), body: new Uint8Array(row.body) }, seq: row.seq };
      }),
    keyRecord: (device, epoch, periodId) =>
      guard(() => {
        const columns = keyRecord.get({ device, epoch, periodId });
        if (columns === undefined) return undefined;
        // A key record has one object.
        const object = mediaOf.get({ device, epoch, seq: columns.seq });
        const sealed =
          object === undefined ? null : { header: new Uint8Array(object.header), body: new Uint8Array(object.body) };
        return { record: storedRecord(columns), sealed };
      }),
    isLossSigned: (device, epoch, mediaId) => guard(() => mediaLoss.get({ device, epoch, mediaId }) !== undefined),
    // SQLite has no booleans.
    setStatus: (device, { online: isOnline, agent, atMs }) =>
      guard(() => void setStatus.run({ device, online: isOnline ? 1 : 0, agent, atMs })),
    status: (device) =>
      guard(() => {
        const row = status.get({ device });
        return row === undefined ? undefined : { online: row.online === 1, agent: row.agent, atMs: row.at_ms };
      }),
    onlineCount: () => guard(() => online.get()?.count ?? 0),
    ...sqliteReceiveTimes(db, guard),
  };
}

/** Returns the first answer that is not undefined. */
function firstOf<T, R>(items: readonly T[], ask: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const answer = ask(item);
    if (answer !== undefined) return answer;
  }
  return undefined;
}
