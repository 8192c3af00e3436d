import { equal } from '../../../common/bytes.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { periodsUsed } from '../periods.js';
import { segmentsNamed, type NewSegment } from '../segments.js';
import type { EpochKey, NewMedia, PutOutcome } from '../store.js';
import type { Database } from './database.js';

interface RecordKey extends EpochKey {
  readonly seq: number;
}

interface MediaKey extends EpochKey {
  readonly mediaId: Uint8Array;
}

interface PeriodKey extends EpochKey {
  readonly periodId: Uint8Array;
}

interface NewRecord extends RecordKey {
  readonly hash: Uint8Array;
  readonly kind: string;
  readonly bytes: Uint8Array;
  readonly atMs: number;
}

interface NewMediaRow extends RecordKey, MediaKey {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

/** Stores a record, its media and its signed losses. The caller holds the transaction. */
export type InsertRecord = (record: Verified<AnyRecord>, media: readonly NewMedia[], atMs: number) => PutOutcome;

/** Returns the insertion of records into `db`, its statements prepared once. */
export function recordInserter(db: Database): InsertRecord {
  const selectHash = db.prepare<RecordKey, { readonly hash: Uint8Array }>(
    'SELECT hash FROM record WHERE device = @device AND epoch = @epoch AND seq = @seq',
  );
  const insertMedia = db.prepare<NewMediaRow>(
    `INSERT OR IGNORE INTO media (device, epoch, media_id, seq, header, body)
     VALUES (@device, @epoch, @mediaId, @seq, @header, @body)`,
  );
  const mediaOwner = db.prepare<MediaKey, { readonly seq: number }>(
    'SELECT seq FROM media WHERE device = @device AND epoch = @epoch AND media_id = @mediaId',
  );
  const insertRecord = db.prepare<NewRecord>(
    `INSERT INTO record (device, epoch, seq, hash, kind, bytes, received_at_ms)
     VALUES (@device, @epoch, @seq, @hash, @kind, @bytes, @atMs)`,
  );
  const insertLoss = db.prepare<EpochKey & { from: number; to: number }>(
    'INSERT OR IGNORE INTO loss (device, epoch, from_seq, to_seq) VALUES (@device, @epoch, @from, @to)',
  );
  const insertMediaLoss = db.prepare<MediaKey>(
    'INSERT OR IGNORE INTO media_loss (device, epoch, media_id) VALUES (@device, @epoch, @mediaId)',
  );
  // A camera sent a record of an erased range again: that range is erased again.
  const eraseAgain = db.prepare<RecordKey>(
    `UPDATE deletion_statement SET state = 'erasing' WHERE device = @device AND epoch = @epoch
       AND scope = 'range' AND state = 'erased' AND @seq BETWEEN from_seq AND to_seq`,
  );
  const selectPeriod = db.prepare<PeriodKey, { readonly hash: Uint8Array }>(
    'SELECT hash FROM period WHERE device = @device AND epoch = @epoch AND period_id = @periodId',
  );
  const insertPeriod = db.prepare<PeriodKey & RecordKey & { hash: Uint8Array }>(
    `INSERT OR IGNORE INTO period (device, epoch, period_id, seq, hash)
     VALUES (@device, @epoch, @periodId, @seq, @hash)`,
  );
  const insertUse = db.prepare<PeriodKey & RecordKey>(
    'INSERT OR IGNORE INTO period_use (device, epoch, seq, period_id) VALUES (@device, @epoch, @seq, @periodId)',
  );
  const insertSegment = db.prepare<NewSegment & { atMs: number }>(
    `INSERT OR IGNORE INTO segment
       (device, epoch, body_hash, account, seq, event_id, clip, place, media_id, length, state, received_at_ms)
     VALUES (@device, @epoch, @bodyHash, @account, @seq, @eventId, @clip, @place, @mediaId, @length, 'expected', @atMs)`,
  );
  const setDrained = db.prepare<RecordKey>(
    `INSERT INTO drained (device, epoch, up_to) VALUES (@device, @epoch, @seq)
     ON CONFLICT (device, epoch) DO UPDATE SET up_to = max(up_to, excluded.up_to)`,
  );

  return ({ value, hash, bytes }, media, atMs) => {
    const { device, epoch, seq, kind } = value;
    const known = selectHash.get({ device, epoch, seq });
    if (known !== undefined && !equal(new Uint8Array(known.hash), hash)) return { outcome: 'equivocation' };
    const periodId = value.key?.periodId;
    const first = periodId === undefined ? undefined : selectPeriod.get({ device, epoch, periodId });
    if (first !== undefined && !equal(new Uint8Array(first.hash), hash)) return { outcome: 'period-taken' };
    const isTaken = (value.media ?? []).some(({ id }) => {
      const owner = mediaOwner.get({ device, epoch, mediaId: id });
      return owner !== undefined && owner.seq !== seq;
    });
    if (isTaken) return { outcome: 'media-taken' };
    for (const { id, sealed } of media) {
      insertMedia.run({ device, epoch, mediaId: id, seq, header: sealed.header, body: sealed.body });
    }
    if (periodId !== undefined) insertPeriod.run({ device, epoch, periodId, seq, hash });
    for (const used of periodsUsed(value, media)) insertUse.run({ device, epoch, seq, periodId: used });
    for (const named of segmentsNamed(value)) insertSegment.run({ ...named, atMs });
    if (known !== undefined) return { outcome: 'duplicate' };

    const { lastInsertRowid } = insertRecord.run({ device, epoch, seq, hash, kind, bytes, atMs });
    eraseAgain.run({ device, epoch, seq });
    for (const loss of value.loss ?? []) {
      if (loss.seqs !== undefined) {
        const [from, to] = loss.seqs;
        insertLoss.run({ device, epoch, from, to });
      }
      for (const mediaId of loss.media ?? []) insertMediaLoss.run({ device, epoch, mediaId });
    }
    if (value.health?.queued === 0) setDrained.run({ device, epoch, seq });
    return { outcome: 'stored', id: Number(lastInsertRowid) };
  };
}
