import { equal } from '../../../common/bytes.js';
import type { SealcamRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { isCovered } from '../loss-ranges.js';
import { storedRecord, type RecordColumns } from '../rows.js';
import type { Arrival, NewMedia, PutOutcome, RecordStore } from '../store.js';
import type { Database } from './database.js';

/** Record, media and what they say of losses; inside a transaction of the caller's. */
export function insertRecord(
  db: Database,
  { value, hash, bytes }: Verified<SealcamRecord>,
  media: readonly NewMedia[],
  atMs: number,
): PutOutcome {
  const { device, epoch, seq, kind } = value;
  const known = db
    .prepare<unknown[], { readonly hash: Uint8Array }>(
      'SELECT hash FROM record WHERE device = ? AND epoch = ? AND seq = ?',
    )
    .get(device, epoch, seq);
  if (known !== undefined && !equal(new Uint8Array(known.hash), hash)) return { outcome: 'equivocation' };
  const insertMedia = db.prepare(
    'INSERT OR IGNORE INTO media (device, epoch, media_id, seq, header, body) VALUES (?, ?, ?, ?, ?, ?)',
  );
  for (const { id, sealed } of media) insertMedia.run(device, epoch, id, seq, sealed.header, sealed.body);
  if (known !== undefined) return { outcome: 'duplicate' };

  const { lastInsertRowid } = db
    .prepare('INSERT INTO record (device, epoch, seq, hash, kind, bytes, received_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)')
    .run(device, epoch, seq, hash, kind, bytes, atMs);
  for (const loss of value.loss ?? []) {
    if (loss.seqs !== undefined) {
      db.prepare('INSERT OR IGNORE INTO loss VALUES (?, ?, ?, ?)').run(device, epoch, ...loss.seqs);
    }
    for (const id of loss.media ?? []) {
      db.prepare('INSERT OR IGNORE INTO media_loss VALUES (?, ?, ?)').run(device, epoch, id);
    }
  }
  if (value.health?.queued === 0) {
    db.prepare(
      `INSERT INTO drained VALUES (?, ?, ?)
       ON CONFLICT (device, epoch) DO UPDATE SET up_to = max(up_to, excluded.up_to)`,
    ).run(device, epoch, seq);
  }
  return { outcome: 'stored', id: Number(lastInsertRowid) };
}

type Guard = <T>(run: () => T) => Promise<T>;

export function sqliteRecords(db: Database, guard: Guard): RecordStore {
  const one = db.prepare<unknown[], RecordColumns>('SELECT * FROM record WHERE device = ? AND epoch = ? AND seq = ?');
  const page = db.prepare<unknown[], RecordColumns>(
    'SELECT * FROM record WHERE device = ? AND epoch = ? AND seq < ? ORDER BY seq DESC LIMIT ?',
  );
  const since = db.prepare<unknown[], RecordColumns>(
    'SELECT * FROM record WHERE device = ? AND epoch = ? AND id > ? ORDER BY id LIMIT ?',
  );
  const arrivals = db.prepare<unknown[], Arrival>(
    'SELECT id, device, epoch, seq, kind FROM record WHERE id > ? ORDER BY id LIMIT ?',
  );
  const lastId = db.prepare<unknown[], { readonly id: number | null }>('SELECT max(id) AS id FROM record');
  const before = db.prepare<unknown[], { readonly seq: number }>(
    'SELECT seq FROM record WHERE device = ? AND epoch = ? AND seq < ? ORDER BY seq DESC LIMIT 1',
  );
  const losses = db.prepare<unknown[], { readonly from_seq: number; readonly to_seq: number }>(
    'SELECT from_seq, to_seq FROM loss WHERE device = ? AND epoch = ? AND to_seq >= ? AND from_seq < ? ORDER BY from_seq',
  );
  const drained = db.prepare<unknown[], { readonly up_to: number }>(
    'SELECT up_to FROM drained WHERE device = ? AND epoch = ?',
  );
  const bounds = db.prepare<
    unknown[],
    { readonly lowest: number | null; readonly highest: number | null; readonly received: number | null }
  >(
    `SELECT min(seq) AS lowest, max(seq) AS highest, max(received_at_ms) AS received
     FROM record WHERE device = ? AND epoch = ?`,
  );
  const health = db.prepare<unknown[], RecordColumns>(
    "SELECT * FROM record WHERE device = ? AND epoch = ? AND kind = 'health' ORDER BY seq DESC LIMIT 1",
  );
  const hasMedia = db.prepare('SELECT 1 FROM media WHERE device = ? AND epoch = ? AND media_id = ?');
  const media = db.prepare<unknown[], { readonly header: Uint8Array; readonly body: Uint8Array; readonly seq: number }>(
    'SELECT header, body, seq FROM media WHERE device = ? AND epoch = ? AND media_id = ?',
  );
  const mediaLoss = db.prepare('SELECT 1 FROM media_loss WHERE device = ? AND epoch = ? AND media_id = ?');
  const setStatus = db.prepare('INSERT OR REPLACE INTO status (device, online, agent, at_ms) VALUES (?, ?, ?, ?)');
  const status = db.prepare<unknown[], { readonly online: number; readonly agent: string; readonly at_ms: number }>(
    'SELECT online, agent, at_ms FROM status WHERE device = ?',
  );
  // The newest record of each epoch stays: it is the head that an owner's page holds the cloud to.
  const expired = db.prepare<unknown[], { readonly device: Uint8Array; readonly epoch: number; readonly seq: number }>(
    `SELECT device, epoch, seq FROM record AS old WHERE received_at_ms < ? AND EXISTS
       (SELECT 1 FROM record AS newer WHERE newer.device = old.device AND newer.epoch = old.epoch AND newer.seq > old.seq)
     ORDER BY received_at_ms LIMIT ?`,
  );
  const online = db.prepare<unknown[], { readonly count: number }>(
    'SELECT count(*) AS count FROM status WHERE online = 1',
  );
  const deleteMedia = db.prepare('DELETE FROM media WHERE device = ? AND epoch = ? AND seq = ?');
  const deleteRecord = db.prepare('DELETE FROM record WHERE device = ? AND epoch = ? AND seq = ?');

  return {
    put: (record, newMedia, atMs) =>
      guard(() => db.transaction(() => insertRecord(db, record, newMedia, atMs)).immediate()),
    get: (device, epoch, seq) =>
      guard(() => {
        const columns = one.get(device, epoch, seq);
        return columns === undefined ? undefined : storedRecord(columns);
      }),
    page: (device, epoch, below, limit) => guard(() => page.all(device, epoch, below, limit).map(storedRecord)),
    since: (id, epochs, limit) =>
      guard(() =>
        epochs
          .flatMap(({ device, epoch }) => since.all(device, epoch, id, limit).map(storedRecord))
          .sort((a, b) => a.id - b.id)
          .slice(0, limit),
      ),
    arrivals: (id, limit) =>
      guard(() => arrivals.all(id, limit).map(({ device, ...rest }) => ({ ...rest, device: new Uint8Array(device) }))),
    lastId: () => guard(() => lastId.get()?.id ?? 0),
    chainFacts: (device, epoch, seq) =>
      guard(() => {
        const predecessor = one.get(device, epoch, seq - 1);
        const drainedUpTo = drained.get(device, epoch)?.up_to ?? -1;
        if (predecessor !== undefined) {
          return { predecessor: new Uint8Array(predecessor.hash), missing: 0, missingSigned: false, drainedUpTo };
        }
        const from = (before.get(device, epoch, seq)?.seq ?? -1) + 1;
        const missing = seq - from;
        const ranges = losses.all(device, epoch, from, seq);
        return { predecessor: undefined, missing, missingSigned: isCovered(ranges, from, seq - 1), drainedUpTo };
      }),
    bounds: (device, epoch) =>
      guard(() => {
        const row = bounds.get(device, epoch);
        if (row === undefined || row.lowest === null || row.highest === null) return undefined;
        return { lowest: row.lowest, highest: row.highest, lastReceivedAtMs: row.received ?? 0 };
      }),
    latestHealth: (device, epoch) =>
      guard(() => {
        const columns = health.get(device, epoch);
        return columns === undefined ? undefined : storedRecord(columns);
      }),
    mediaPresent: (device, epoch, ids) => guard(() => ids.map((id) => hasMedia.get(device, epoch, id) !== undefined)),
    media: (device, epoch, id) =>
      guard(() => {
        const row = media.get(device, epoch, id);
        if (row === undefined) return undefined;
        return { sealed: { header: new Uint8Array(row.header), body: new Uint8Array(row.body) }, seq: row.seq };
      }),
    isLossSigned: (device, epoch, mediaId) => guard(() => mediaLoss.get(device, epoch, mediaId) !== undefined),
    setStatus: (device, { online, agent, atMs }) =>
      guard(() => void setStatus.run(device, online ? 1 : 0, agent, atMs)),
    status: (device) =>
      guard(() => {
        const row = status.get(device);
        return row === undefined ? undefined : { online: row.online === 1, agent: row.agent, atMs: row.at_ms };
      }),
    onlineCount: () => guard(() => online.get()?.count ?? 0),
    expire: (beforeMs, limit) =>
      guard(() =>
        db
          .transaction(() => {
            const rows = expired.all(beforeMs, limit);
            for (const { device, epoch, seq } of rows) {
              deleteMedia.run(device, epoch, seq);
              deleteRecord.run(device, epoch, seq);
            }
            return rows.length;
          })
          .immediate(),
      ),
  };
}
