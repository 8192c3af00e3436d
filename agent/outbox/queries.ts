import type { Database } from './database.js';

export interface EpochRow {
  readonly epoch: number;
  readonly claim: Uint8Array;
  readonly claim_hash: Uint8Array;
  readonly is_open: number;
  readonly accept_receipted: number;
  readonly head_seq: number;
  readonly head_hash: Uint8Array;
  readonly produced: number;
  readonly receipted: number;
  readonly quarantined: number;
  readonly lost: number;
  readonly stopped: number;
  readonly command_counter: number;
}

export interface DeviceRow {
  readonly last_epoch: number;
  readonly last_claim_hash: Uint8Array | null;
  readonly queued_records: number;
  readonly queued_bytes: number;
  readonly is_fresh: number;
}

export interface RecordRow {
  readonly epoch: number;
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
  readonly wall_ms: number | null;
}

export interface MediaRow {
  readonly position: number;
  readonly media_id: Uint8Array;
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

export interface LossRow {
  readonly id: number;
  readonly epoch: number;
  readonly reason: string;
  readonly from_seq: number | null;
  readonly to_seq: number | null;
  readonly media_id: Uint8Array | null;
  readonly count: number;
  readonly said_seq: number | null;
}

/** Every statement of the outbox, prepared once. Rows come back as they are declared here; the schema is STRICT. */
export function prepareQueries(db: Database) {
  const one = <Row>(sql: string) => db.prepare<unknown[], Row>(sql);
  return {
    device: one<DeviceRow>('SELECT * FROM device WHERE id = 1'),
    setEpoch: one('UPDATE device SET last_epoch = ?, last_claim_hash = ? WHERE id = 1'),
    setFresh: one('UPDATE device SET is_fresh = ? WHERE id = 1'),
    addQueued: one(
      'UPDATE device SET queued_records = queued_records + ?, queued_bytes = queued_bytes + ? WHERE id = 1',
    ),

    openEpoch: one<EpochRow>('SELECT * FROM epoch WHERE is_open = 1'),
    epoch: one<EpochRow>('SELECT * FROM epoch WHERE epoch = ?'),
    epochs: one<EpochRow>('SELECT * FROM epoch ORDER BY epoch'),
    insertEpoch: one(
      'INSERT INTO epoch (epoch, claim, claim_hash, is_open, head_seq, head_hash) VALUES (?, ?, ?, 1, -1, ?)',
    ),
    /** For what is taken over from a damaged database. */
    restoreEpoch: one(
      `UPDATE epoch SET is_open = ?, accept_receipted = ?, head_seq = ?, produced = ?, receipted = ?, quarantined = ?,
         lost = ?, stopped = ?, command_counter = ? WHERE epoch = ?`,
    ),
    restoreCounts: one('UPDATE epoch SET produced = ?, receipted = ?, quarantined = ?, lost = ? WHERE epoch = ?'),
    restoreLoss: one(
      `INSERT INTO pending_loss (epoch, reason, from_seq, to_seq, media_id, count, said_seq) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    closeEpoch: one('UPDATE epoch SET is_open = 0 WHERE epoch = ?'),
    stopEpoch: one('UPDATE epoch SET stopped = 1 WHERE epoch = ?'),
    setHead: one('UPDATE epoch SET head_seq = ?, head_hash = ?, produced = produced + 1 WHERE epoch = ?'),
    moveHead: one('UPDATE epoch SET head_seq = ?, head_hash = ? WHERE epoch = ?'),
    acceptReceipted: one('UPDATE epoch SET accept_receipted = 1 WHERE epoch = ?'),
    count: one(
      'UPDATE epoch SET receipted = receipted + ?, quarantined = quarantined + ?, lost = lost + ? WHERE epoch = ?',
    ),
    countProduced: one('UPDATE epoch SET produced = produced + ?, lost = lost + ? WHERE epoch = ?'),
    deleteDrainedEpochs: one(
      'DELETE FROM epoch WHERE is_open = 0 AND NOT EXISTS (SELECT 1 FROM record WHERE record.epoch = epoch.epoch)',
    ),

    insertRecord: one('INSERT INTO record (epoch, seq, hash, bytes, wall_ms) VALUES (?, ?, ?, ?, ?)'),
    insertMedia: one('INSERT INTO media (epoch, seq, position, media_id, header, body) VALUES (?, ?, ?, ?, ?, ?)'),
    record: one<RecordRow>('SELECT * FROM record WHERE epoch = ? AND seq = ?'),
    /** From a place on, in the order in which things happened. */
    recordsAfter: one<RecordRow>('SELECT * FROM record WHERE (epoch, seq) > (?, ?) ORDER BY epoch, seq LIMIT ?'),
    /** Places alone are read from the index. An accept is not among them. */
    placeAfter: one<Pick<RecordRow, 'epoch' | 'seq'>>(
      'SELECT epoch, seq FROM record WHERE (epoch, seq) > (?, ?) AND seq > 0 ORDER BY epoch, seq LIMIT 1',
    ),
    oldestAccept: one<Pick<RecordRow, 'epoch' | 'seq'>>(
      `SELECT epoch, seq FROM epoch JOIN record USING (epoch) WHERE accept_receipted = 0 AND seq = 0
       ORDER BY epoch LIMIT 1`,
    ),
    newestRecord: one<{ readonly epoch: number; readonly seq: number }>(
      'SELECT epoch, seq FROM record ORDER BY epoch DESC, seq DESC LIMIT 1',
    ),
    /** The accept is not among them: without it the cloud takes nothing of its epoch. */
    firstRecord: one<RecordRow>('SELECT * FROM record WHERE seq > 0 ORDER BY epoch, seq LIMIT 1'),
    deleteOneMedia: one('DELETE FROM media WHERE epoch = ? AND seq = ? AND position = ?'),
    media: one<MediaRow>(
      'SELECT position, media_id, header, body FROM media WHERE epoch = ? AND seq = ? ORDER BY position',
    ),
    mediaBytes: one<{ readonly bytes: number | null }>(
      'SELECT sum(length(header) + length(body)) AS bytes FROM media WHERE epoch = ? AND seq = ?',
    ),
    rangeTotals: one<{ readonly records: number; readonly bytes: number | null }>(
      `SELECT count(*) AS records, sum(length(bytes) + coalesce((SELECT sum(length(header) + length(body)) FROM media
         WHERE media.epoch = record.epoch AND media.seq = record.seq), 0)) AS bytes
       FROM record WHERE epoch = ? AND seq BETWEEN ? AND ?`,
    ),
    deleteRange: one('DELETE FROM record WHERE epoch = ? AND seq BETWEEN ? AND ?'),
    seqs: one<{ readonly seq: number }>('SELECT seq FROM record WHERE epoch = ? ORDER BY seq'),
    oldestMedia: one<{ readonly epoch: number; readonly seq: number }>(
      'SELECT epoch, seq FROM media ORDER BY epoch, seq LIMIT 1',
    ),
    deleteMedia: one('DELETE FROM media WHERE epoch = ? AND seq = ?'),

    quarantine: one('INSERT OR IGNORE INTO quarantine (epoch, seq, code, bytes) VALUES (?, ?, ?, ?)'),
    quarantineSize: one<{ readonly records: number }>('SELECT count(*) AS records FROM quarantine'),
    trimQuarantine: one(
      'DELETE FROM quarantine WHERE rowid IN (SELECT rowid FROM quarantine ORDER BY epoch, seq LIMIT ?)',
    ),

    eraseQuarantine: one('DELETE FROM quarantine'),
    eraseLosses: one('DELETE FROM pending_loss'),

    setCommandCounter: one('UPDATE epoch SET command_counter = ? WHERE epoch = ?'),
    orders: one<{ readonly command: Uint8Array }>('SELECT command FROM standing_order ORDER BY action'),
    setOrder: one('INSERT OR REPLACE INTO standing_order (action, command) VALUES (?, ?)'),
    eraseOrders: one('DELETE FROM standing_order'),

    lastRange: one<LossRow>(
      `SELECT * FROM pending_loss WHERE epoch = ? AND reason = ? AND to_seq = ? AND media_id IS NULL AND said_seq IS NULL
       ORDER BY id DESC LIMIT 1`,
    ),
    growRange: one('UPDATE pending_loss SET to_seq = ? WHERE id = ?'),
    lastCount: one<LossRow>(
      `SELECT * FROM pending_loss WHERE epoch = ? AND reason = ? AND from_seq IS NULL AND media_id IS NULL
         AND said_seq IS NULL LIMIT 1`,
    ),
    growCount: one('UPDATE pending_loss SET count = count + ? WHERE id = ?'),
    insertLoss: one(
      'INSERT INTO pending_loss (epoch, reason, from_seq, to_seq, media_id, count) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    losses: one<LossRow>('SELECT * FROM pending_loss WHERE epoch = ? AND said_seq IS NULL ORDER BY id LIMIT ?'),
    ranges: one<LossRow>(
      `SELECT * FROM pending_loss WHERE epoch = ? AND media_id IS NULL AND from_seq IS NOT NULL AND said_seq IS NULL
       ORDER BY reason, from_seq`,
    ),
    sayLoss: one('UPDATE pending_loss SET said_seq = ? WHERE id = ?'),
    unsayLosses: one('UPDATE pending_loss SET said_seq = NULL WHERE epoch = ? AND said_seq BETWEEN ? AND ?'),
    saidLosses: one<LossRow>('SELECT * FROM pending_loss WHERE epoch = ? AND said_seq BETWEEN ? AND ?'),
    deleteSaid: one('DELETE FROM pending_loss WHERE epoch = ? AND said_seq BETWEEN ? AND ?'),
    deleteMediaLosses: one(
      'DELETE FROM pending_loss WHERE epoch = ? AND media_id IS NOT NULL AND from_seq BETWEEN ? AND ?',
    ),
    deleteLoss: one('DELETE FROM pending_loss WHERE id = ?'),
    deleteDrainedLosses: one('DELETE FROM pending_loss WHERE epoch NOT IN (SELECT epoch FROM epoch)'),
  };
}

export type Queries = ReturnType<typeof prepareQueries>;
