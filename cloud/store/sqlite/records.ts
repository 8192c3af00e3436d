import { isCovered, type ChainFacts } from '../../../protocol/verify/continuity.js';
import { lossRanges, notDeleted, storedRecord, type RecordColumns } from '../rows.js';
import type { Arrival, EpochKey, RecordStore } from '../store.js';
import type { Database, Guard } from './database.js';
import { sqliteReceiveTimes } from './receive-times.js';
import type { Writer } from './writer.js';

interface RecordKey extends EpochKey {
  readonly seq: number;
}

interface MediaKey extends EpochKey {
  readonly mediaId: Uint8Array;
}

export function sqliteRecords(db: Database, guard: Guard, writer: Writer): RecordStore {
  const SHOWN = `SELECT * FROM record WHERE device = @device AND epoch = @epoch AND ${notDeleted('record')}`;
  const selectOne = db.prepare<RecordKey, RecordColumns>(`${SHOWN} AND seq = @seq`);
  const page = db.prepare<EpochKey & { before: number; limit: number }, RecordColumns>(
    `${SHOWN} AND seq < @before ORDER BY seq DESC LIMIT @limit`,
  );
  const since = db.prepare<EpochKey & { id: number; limit: number }, RecordColumns>(
    `${SHOWN} AND id > @id ORDER BY id LIMIT @limit`,
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
  const losses = db.prepare<
    EpochKey & { from: number; before: number },
    { readonly from_seq: number; readonly to_seq: number }
  >(
    `SELECT from_seq, to_seq FROM loss
     WHERE device = @device AND epoch = @epoch AND to_seq >= @from AND from_seq < @before ORDER BY from_seq`,
  );
  const drained = db.prepare<EpochKey, { readonly up_to: number }>(
    'SELECT up_to FROM drained WHERE device = @device AND epoch = @epoch',
  );
  const bounds = db.prepare<
    EpochKey,
    { readonly lowest: number | null; readonly highest: number | null; readonly received: number | null }
  >(
    `SELECT min(seq) AS lowest, max(seq) AS highest, max(received_at_ms) AS received
     FROM record WHERE device = @device AND epoch = @epoch AND ${notDeleted('record')}`,
  );
  const latestHealth = db.prepare<EpochKey, RecordColumns>(`${SHOWN} AND kind = 'health' ORDER BY seq DESC LIMIT 1`);
  const hasMedia = db.prepare<MediaKey & RecordKey>(
    'SELECT 1 FROM media WHERE device = @device AND epoch = @epoch AND media_id = @mediaId AND seq = @seq',
  );
  const selectMedia = db.prepare<
    MediaKey,
    { readonly header: Uint8Array; readonly body: Uint8Array; readonly seq: number }
  >('SELECT header, body, seq FROM media WHERE device = @device AND epoch = @epoch AND media_id = @mediaId');
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
    const ranges = losses.all({ device, epoch, from, before: seq });
    return {
      predecessor: undefined,
      missing: seq - from,
      missingSigned: isCovered(lossRanges(ranges), from, seq - 1),
      drainedUpTo,
    };
  }

  return {
    put: (record, media, atMs, bind) => writer.put(record, media, atMs, bind),
    get: (device, epoch, seq) =>
      guard(() => {
        const columns = selectOne.get({ device, epoch, seq });
        return columns === undefined ? undefined : storedRecord(columns);
      }),
    page: (device, epoch, before, limit) => guard(() => page.all({ device, epoch, before, limit }).map(storedRecord)),
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
    bounds: (device, epoch) =>
      guard(() => {
        const row = bounds.get({ device, epoch });
        if (row === undefined || row.lowest === null || row.highest === null) return undefined;
        return { lowest: row.lowest, highest: row.highest, lastReceivedAtMs: row.received ?? 0 };
      }),
    latestHealth: (device, epoch) =>
      guard(() => {
        const columns = latestHealth.get({ device, epoch });
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
