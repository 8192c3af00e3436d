import type { Database } from './sqlite.js';

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
  readonly command_counter: number;
  /** The accept record, once it has its receipt; null before, and of an epoch that an earlier version opened. */
  readonly accept: Uint8Array | null;
  /** KEM keys of a claim of version 2, one after the other; null in version 1. */
  readonly kem_keys: Uint8Array | null;
}

/** A period of a version-2 epoch, by its key record. */
export interface PeriodRow {
  readonly epoch: number;
  readonly seq: number;
  readonly period_id: Uint8Array;
  /** Second copy of the key record and of its object's body; null once they have their receipt. */
  readonly record: Uint8Array | null;
  readonly body: Uint8Array | null;
}

/** The only row of `device`. `is_fresh` is 1 until the claim window of a first start has opened. */
export interface DeviceRow {
  readonly last_epoch: number;
  readonly last_claim_hash: Uint8Array | null;
  readonly queued_records: number;
  readonly queued_bytes: number;
  readonly is_fresh: number;
  /** Milliseconds that the camera has run over all boots, up to `run_at_ms` of the boot `run_boot`. */
  readonly run_ms: number;
  readonly run_boot: Uint8Array | null;
  readonly run_at_ms: number;
  /** `run_ms` of the last move past a receipt's head. */
  readonly moved_run_ms: number | null;
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

/** A loss that no receipted record names yet; `said_seq` is the record that names it, null while it is pending. */
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

export interface StandingOrderRow {
  readonly command: Uint8Array;
  readonly account: Uint8Array | null;
  readonly wall_ms: number | null;
}

/** A health record that counts towards the age of orders; `quarter` is its quarter of an hour in that boot. */
export interface HealthMarkRow {
  readonly boot: Uint8Array;
  readonly quarter: number;
}

/**
 * A key record that stays, whatever the limits say: something that it opens is queued, or may still come, or is in the cloud. The
 * newest two count, since an object is sealed a moment before it is appended.
 */
const keptKey = (isDelivered: string): string => `EXISTS (
  SELECT 1 FROM period WHERE period.epoch = record.epoch AND period.seq = record.seq AND (${isDelivered}
    EXISTS (SELECT 1 FROM period_use WHERE period_use.epoch = period.epoch AND period_use.key_seq = period.seq)
    OR EXISTS (SELECT 1 FROM segment WHERE segment.epoch = period.epoch AND segment.key_seq = period.seq)
    OR ((SELECT count(*) FROM period AS later WHERE later.epoch = period.epoch AND later.seq > period.seq) < 2
      AND EXISTS (SELECT 1 FROM epoch WHERE epoch.epoch = period.epoch AND is_open = 1))))`;

/**
 * Prepares every statement of the outbox once. Rows come back as declared here, since the schema is STRICT.
 * A statement with more than two parameters takes them by name, in one object.
 */
export function prepareQueries(db: Database) {
  const prepare = <Row>(sql: string) => db.prepare<unknown[], Row>(sql);
  return {
    device: prepare<DeviceRow>('SELECT * FROM device WHERE id = 1'),
    setLastEpoch: prepare('UPDATE device SET last_epoch = ?, last_claim_hash = ? WHERE id = 1'),
    setFresh: prepare('UPDATE device SET is_fresh = ? WHERE id = 1'),
    /** Adds the time since the last record of the same boot. Time between boots is not counted. */
    addRun: prepare(
      `UPDATE device SET
         run_ms = run_ms + CASE WHEN run_boot = @boot THEN max(0, @atMs - run_at_ms) ELSE 0 END,
         run_at_ms = CASE WHEN run_boot = @boot THEN max(run_at_ms, @atMs) ELSE @atMs END,
         run_boot = @boot
       WHERE id = 1`,
    ),
    setMoved: prepare('UPDATE device SET moved_run_ms = run_ms WHERE id = 1'),
    /** For a device that is salvaged from a damaged database. */
    restoreRun: prepare('UPDATE device SET run_ms = ?, moved_run_ms = ? WHERE id = 1'),
    addQueued: prepare(
      'UPDATE device SET queued_records = queued_records + ?, queued_bytes = queued_bytes + ? WHERE id = 1',
    ),

    openEpoch: prepare<EpochRow>('SELECT * FROM epoch WHERE is_open = 1'),
    epoch: prepare<EpochRow>('SELECT * FROM epoch WHERE epoch = ?'),
    epochs: prepare<EpochRow>('SELECT * FROM epoch ORDER BY epoch'),
    insertEpoch: prepare(
      `INSERT INTO epoch (epoch, claim, claim_hash, is_open, head_seq, head_hash, kem_keys)
       VALUES (@epoch, @claim, @claimHash, 1, -1, @headHash, @kemKeys)`,
    ),
    /** For epochs that are salvaged from a damaged database. */
    restoreEpoch: prepare(
      `UPDATE epoch SET is_open = @isOpen, accept_receipted = @acceptReceipted, head_seq = @headSeq, produced = @produced,
         receipted = @receipted, quarantined = @quarantined, lost = @lost, command_counter = @commandCounter, accept = @accept
       WHERE epoch = @epoch`,
    ),
    restoreCounts: prepare(
      `UPDATE epoch SET produced = @produced, receipted = @receipted, quarantined = @quarantined, lost = @lost
       WHERE epoch = @epoch`,
    ),
    restoreLoss: prepare(
      `INSERT INTO pending_loss (epoch, reason, from_seq, to_seq, media_id, count, said_seq)
       VALUES (@epoch, @reason, @fromSeq, @toSeq, @mediaId, @count, @saidSeq)`,
    ),
    closeEpoch: prepare('UPDATE epoch SET is_open = 0 WHERE epoch = ?'),
    /** After one new record. */
    advanceHead: prepare(
      'UPDATE epoch SET head_seq = @seq, head_hash = @hash, produced = produced + 1 WHERE epoch = @epoch',
    ),
    moveHead: prepare('UPDATE epoch SET head_seq = @seq, head_hash = @hash WHERE epoch = @epoch'),
    markAcceptReceipted: prepare('UPDATE epoch SET accept_receipted = 1 WHERE epoch = ?'),
    keepAccept: prepare(
      `UPDATE epoch SET accept = coalesce(
         (SELECT bytes FROM record WHERE record.epoch = epoch.epoch AND seq = 0), accept) WHERE epoch = ?`,
    ),
    addReceipted: prepare('UPDATE epoch SET receipted = receipted + ? WHERE epoch = ?'),
    addQuarantined: prepare('UPDATE epoch SET quarantined = quarantined + ? WHERE epoch = ?'),
    addLost: prepare('UPDATE epoch SET lost = lost + ? WHERE epoch = ?'),
    /** Records that were made and are gone. */
    addProducedAndLost: prepare(
      'UPDATE epoch SET produced = produced + @records, lost = lost + @records WHERE epoch = @epoch',
    ),
    deleteDrainedEpochs: prepare(
      `DELETE FROM epoch WHERE is_open = 0 AND NOT EXISTS (SELECT 1 FROM record WHERE record.epoch = epoch.epoch)
         AND NOT EXISTS (SELECT 1 FROM segment WHERE segment.epoch = epoch.epoch)`,
    ),

    insertRecord: prepare(
      'INSERT INTO record (epoch, seq, hash, bytes, wall_ms) VALUES (@epoch, @seq, @hash, @bytes, @wallMs)',
    ),
    record: prepare<RecordRow>('SELECT * FROM record WHERE epoch = ? AND seq = ?'),
    hasRecord: prepare<{ readonly seq: number }>('SELECT seq FROM record WHERE epoch = ? AND seq = ?'),
    /** Records after a place, in the order in which they were made. */
    recordsAfter: prepare<RecordRow>(
      'SELECT * FROM record WHERE (epoch, seq) > (@epoch, @seq) ORDER BY epoch, seq LIMIT @limit',
    ),
    /** Reads the index only. Accepts (seq 0) are left out. */
    placeAfter: prepare<Pick<RecordRow, 'epoch' | 'seq'>>(
      'SELECT epoch, seq FROM record WHERE (epoch, seq) > (?, ?) AND seq > 0 ORDER BY epoch, seq LIMIT 1',
    ),
    oldestAccept: prepare<Pick<RecordRow, 'epoch' | 'seq'>>(
      `SELECT epoch, seq FROM epoch JOIN record USING (epoch) WHERE accept_receipted = 0 AND seq = 0
       ORDER BY epoch LIMIT 1`,
    ),
    newestRecord: prepare<Pick<RecordRow, 'epoch' | 'seq'>>(
      'SELECT epoch, seq FROM record ORDER BY epoch DESC, seq DESC LIMIT 1',
    ),
    /** Accepts are left out: without its accept the cloud stores nothing of an epoch. So are key records in use. */
    oldestDroppable: prepare<RecordRow>(
      `SELECT * FROM record WHERE seq > 0 AND NOT ${keptKey('delivered = 1 OR')} ORDER BY epoch, seq LIMIT 1`,
    ),
    isKeptKey: prepare<{ readonly seq: number }>(
      `SELECT seq FROM record WHERE epoch = ? AND seq = ? AND ${keptKey('delivered = 1 OR')}`,
    ),
    /** The same without what is in the cloud: a cloud that refuses a key record for good opens nothing with it. */
    isNeededKey: prepare<{ readonly seq: number }>(
      `SELECT seq FROM record WHERE epoch = ? AND seq = ? AND ${keptKey('')}`,
    ),
    restoreRecord: prepare('UPDATE record SET hash = @hash, bytes = @bytes WHERE epoch = @epoch AND seq = @seq'),
    rangeTotals: prepare<{ readonly records: number; readonly bytes: number | null }>(
      `SELECT count(*) AS records, sum(length(bytes) + coalesce((SELECT sum(length(header) + length(body)) FROM media
         WHERE media.epoch = record.epoch AND media.seq = record.seq), 0)) AS bytes
       FROM record WHERE epoch = @epoch AND seq BETWEEN @from AND @to`,
    ),
    /** Media go with their records (ON DELETE CASCADE). */
    deleteRecords: prepare('DELETE FROM record WHERE epoch = @epoch AND seq BETWEEN @from AND @to'),
    seqs: prepare<Pick<RecordRow, 'seq'>>('SELECT seq FROM record WHERE epoch = ? ORDER BY seq'),

    insertMedia: prepare(
      `INSERT INTO media (epoch, seq, position, media_id, header, body)
       VALUES (@epoch, @seq, @position, @mediaId, @header, @body)`,
    ),
    media: prepare<MediaRow>(
      'SELECT position, media_id, header, body FROM media WHERE epoch = ? AND seq = ? ORDER BY position',
    ),
    mediaBytes: prepare<{ readonly bytes: number | null }>(
      'SELECT sum(length(header) + length(body)) AS bytes FROM media WHERE epoch = ? AND seq = ?',
    ),
    oldestMedia: prepare<Pick<RecordRow, 'epoch' | 'seq'>>('SELECT epoch, seq FROM media ORDER BY epoch, seq LIMIT 1'),
    /** The objects of key records are left out: they go with their records, if at all. */
    oldestDroppableMedia: prepare<Pick<RecordRow, 'epoch' | 'seq'>>(
      `SELECT epoch, seq FROM media WHERE NOT EXISTS
         (SELECT 1 FROM period WHERE period.epoch = media.epoch AND period.seq = media.seq)
       ORDER BY epoch, seq LIMIT 1`,
    ),
    deleteMedia: prepare('DELETE FROM media WHERE epoch = ? AND seq = ?'),
    deleteOneMedia: prepare('DELETE FROM media WHERE epoch = @epoch AND seq = @seq AND position = @position'),

    insertPeriod: prepare(
      `INSERT OR IGNORE INTO period (epoch, seq, period_id, record, body)
       VALUES (@epoch, @seq, @periodId, @record, @body)`,
    ),
    period: prepare<PeriodRow>('SELECT * FROM period WHERE epoch = ? AND seq = ?'),
    /** The newest key record of the open epoch, unless it has its receipt. */
    newestKey: prepare<Pick<PeriodRow, 'epoch' | 'seq'>>(
      `SELECT epoch, seq FROM period WHERE record IS NOT NULL AND (epoch, seq) =
         (SELECT epoch, max(seq) FROM period WHERE epoch = (SELECT epoch FROM epoch WHERE is_open = 1))`,
    ),
    periodById: prepare<PeriodRow>('SELECT * FROM period WHERE epoch = ? AND period_id = ?'),
    insertPeriodUse: prepare('INSERT OR IGNORE INTO period_use (epoch, seq, key_seq) VALUES (@epoch, @seq, @keySeq)'),
    /** After a salvage nobody knows which record needs which key: each keeps all before it. */
    useAllPeriods: prepare(
      `INSERT OR IGNORE INTO period_use (epoch, seq, key_seq)
       SELECT record.epoch, record.seq, period.seq FROM record JOIN period ON period.epoch = record.epoch
         AND period.seq < record.seq
       WHERE NOT EXISTS (SELECT 1 FROM period AS own WHERE own.epoch = record.epoch AND own.seq = record.seq)`,
    ),
    /** The objects of key records, which have no header. */
    keyMedia: prepare<RecordRow & Pick<MediaRow, 'body'>>(
      'SELECT record.*, media.body FROM record JOIN media USING (epoch, seq) WHERE length(media.header) = 0',
    ),
    /** The cloud has the key records `from` to `to`. */
    forgetPeriodCopies: prepare(
      'UPDATE period SET record = NULL, body = NULL WHERE epoch = @epoch AND seq BETWEEN @from AND @to',
    ),
    /** The cloud has the records `from` to `to`, and needs the key records that open them. */
    markDelivered: prepare(
      `UPDATE period SET delivered = 1 WHERE epoch = @epoch AND seq IN
         (SELECT key_seq FROM period_use WHERE epoch = @epoch AND seq BETWEEN @from AND @to)`,
    ),
    /** After a salvage: nobody knows what the cloud has. */
    markAllDelivered: prepare('UPDATE period SET delivered = 1'),
    deletePeriods: prepare('DELETE FROM period WHERE epoch = @epoch AND seq BETWEEN @from AND @to'),
    /** Periods whose key record has its receipt and which nothing here needs any more. */
    trimPeriods: prepare(
      `DELETE FROM period WHERE record IS NULL
         AND (SELECT count(*) FROM period AS later WHERE later.epoch = period.epoch AND later.seq > period.seq) >= 2
         AND NOT EXISTS
           (SELECT 1 FROM period_use WHERE period_use.epoch = period.epoch AND period_use.key_seq = period.seq)`,
    ),

    insertQuarantined: prepare(
      'INSERT OR IGNORE INTO quarantine (epoch, seq, code, bytes) VALUES (@epoch, @seq, @code, @bytes)',
    ),
    quarantineSize: prepare<{ readonly records: number }>('SELECT count(*) AS records FROM quarantine'),
    trimQuarantine: prepare(
      'DELETE FROM quarantine WHERE rowid IN (SELECT rowid FROM quarantine ORDER BY epoch, seq LIMIT ?)',
    ),
    eraseQuarantine: prepare('DELETE FROM quarantine'),

    setCommandCounter: prepare('UPDATE epoch SET command_counter = ? WHERE epoch = ?'),
    signerCounter: prepare<{ readonly counter: number }>(
      'SELECT counter FROM order_counter WHERE epoch = ? AND signer = ?',
    ),
    setSignerCounter: prepare(
      'INSERT OR REPLACE INTO order_counter (epoch, signer, counter) VALUES (@epoch, @signer, @counter)',
    ),
    orders: prepare<StandingOrderRow>('SELECT command, account, wall_ms FROM standing_order ORDER BY action'),
    setOrder: prepare(
      `INSERT OR REPLACE INTO standing_order (action, command, account, wall_ms)
       VALUES (@action, @command, @account, @wallMs)`,
    ),
    eraseOrders: prepare('DELETE FROM standing_order'),

    newestHealthMark: prepare<HealthMarkRow>(
      'SELECT boot, quarter FROM health_mark WHERE epoch = ? ORDER BY seq DESC LIMIT 1',
    ),
    insertHealthMark: prepare(
      'INSERT INTO health_mark (epoch, seq, boot, quarter) VALUES (@epoch, @seq, @boot, @quarter)',
    ),
    /** Keeps the newest `keep` of an epoch, and none of another. */
    trimHealthMarks: prepare(
      `DELETE FROM health_mark WHERE epoch <> @epoch
         OR seq NOT IN (SELECT seq FROM health_mark WHERE epoch = @epoch ORDER BY seq DESC LIMIT @keep)`,
    ),
    healthMarksAfter: prepare<{ readonly marks: number }>(
      'SELECT count(*) AS marks FROM health_mark WHERE epoch = ? AND seq > ?',
    ),
    eraseHealthMarks: prepare('DELETE FROM health_mark'),

    adjacentRange: prepare<LossRow>(
      `SELECT * FROM pending_loss WHERE epoch = @epoch AND reason = @reason AND to_seq = @to AND media_id IS NULL
         AND said_seq IS NULL
       ORDER BY id DESC LIMIT 1`,
    ),
    extendRange: prepare('UPDATE pending_loss SET to_seq = ? WHERE id = ?'),
    pendingCount: prepare<LossRow>(
      `SELECT * FROM pending_loss WHERE epoch = ? AND reason = ? AND from_seq IS NULL AND media_id IS NULL
         AND said_seq IS NULL LIMIT 1`,
    ),
    addToCount: prepare('UPDATE pending_loss SET count = count + ? WHERE id = ?'),
    insertSaidLoss: prepare(
      `INSERT INTO pending_loss (epoch, reason, from_seq, to_seq, said_seq) VALUES (@epoch, @reason, @from, @to, @saidSeq)`,
    ),
    insertLoss: prepare(
      `INSERT INTO pending_loss (epoch, reason, from_seq, to_seq, media_id, count)
       VALUES (@epoch, @reason, @from, @to, @mediaId, @count)`,
    ),
    pendingLosses: prepare<LossRow>(
      'SELECT * FROM pending_loss WHERE epoch = ? AND said_seq IS NULL ORDER BY id LIMIT ?',
    ),
    pendingRanges: prepare<LossRow>(
      `SELECT * FROM pending_loss WHERE epoch = ? AND media_id IS NULL AND from_seq IS NOT NULL AND said_seq IS NULL
       ORDER BY reason, from_seq`,
    ),
    /** The record `seq` names this loss. */
    assignLoss: prepare('UPDATE pending_loss SET said_seq = ? WHERE id = ?'),
    /** Losses that these records name. */
    assignedLosses: prepare<LossRow>(
      'SELECT * FROM pending_loss WHERE epoch = @epoch AND said_seq BETWEEN @from AND @to',
    ),
    unassignLosses: prepare(
      'UPDATE pending_loss SET said_seq = NULL WHERE epoch = @epoch AND said_seq BETWEEN @from AND @to',
    ),
    deleteAssignedLosses: prepare('DELETE FROM pending_loss WHERE epoch = @epoch AND said_seq BETWEEN @from AND @to'),
    /** Lost pictures of these records, whatever record names them. */
    deleteMediaLosses: prepare(
      'DELETE FROM pending_loss WHERE epoch = @epoch AND media_id IS NOT NULL AND from_seq BETWEEN @from AND @to',
    ),
    deleteLoss: prepare('DELETE FROM pending_loss WHERE id = ?'),
    deleteDrainedLosses: prepare('DELETE FROM pending_loss WHERE epoch NOT IN (SELECT epoch FROM epoch)'),
    eraseLosses: prepare('DELETE FROM pending_loss'),
  };
}

export type Queries = ReturnType<typeof prepareQueries>;
