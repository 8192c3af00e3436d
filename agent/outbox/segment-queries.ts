import type { Database } from './sqlite.js';

/** A segment of a clip, whose body is a file beside the database. */
export interface SegmentRow {
  readonly epoch: number;
  /** SHA-256 of the body. */
  readonly hash: Uint8Array;
  /** The clip record that names it. */
  readonly seq: number;
  /** The first record of its clip. */
  readonly clip_seq: number;
  readonly idx: number;
  readonly media_id: Uint8Array;
  readonly length: number;
  /** The key record without which nobody opens it. */
  readonly key_seq: number;
  /** 1 once the clip record has its receipt: only then the cloud takes the body. */
  readonly ready: number;
}

/** Counts of segments that clip records of the epoch named. */
export interface SegmentCounts {
  readonly clip_made: number;
  readonly clip_kept: number;
  readonly clip_lost: number;
}

/** Prepares the statements of segments, as `prepareQueries` does those of records. */
export function prepareSegmentQueries(db: Database) {
  const prepare = <Row>(sql: string) => db.prepare<unknown[], Row>(sql);
  return {
    insert: prepare(
      `INSERT INTO segment (epoch, hash, seq, clip_seq, idx, media_id, length, key_seq, ready)
       VALUES (@epoch, @hash, @seq, @clip_seq, @idx, @media_id, @length, @key_seq, @ready)`,
    ),
    get: prepare<SegmentRow>('SELECT * FROM segment WHERE epoch = ? AND hash = ?'),
    all: prepare<SegmentRow>('SELECT * FROM segment'),
    names: prepare<Pick<SegmentRow, 'epoch' | 'hash'>>('SELECT epoch, hash FROM segment'),
    /** Those whose records have no receipt. */
    ofRecords: prepare<SegmentRow>(
      'SELECT * FROM segment WHERE epoch = @epoch AND seq BETWEEN @from AND @to AND ready = 0',
    ),
    /** In the order in which they are sent: the newest clip first, from its beginning. */
    toSend: prepare<SegmentRow>(
      'SELECT * FROM segment WHERE ready = 1 ORDER BY epoch DESC, clip_seq DESC, idx LIMIT ?',
    ),
    /** What is given up first: the oldest clip, from its end, so that what stays of it can be played. */
    leastWanted: prepare<SegmentRow>('SELECT * FROM segment ORDER BY epoch, clip_seq, idx DESC LIMIT ?'),
    markReady: prepare('UPDATE segment SET ready = 1 WHERE epoch = @epoch AND seq BETWEEN @from AND @to AND ready = 0'),
    delete: prepare('DELETE FROM segment WHERE epoch = ? AND hash = ?'),
    counts: prepare<SegmentCounts>('SELECT clip_made, clip_kept, clip_lost FROM epoch WHERE epoch = ?'),
    count: prepare(
      `UPDATE epoch SET clip_made = clip_made + @made, clip_kept = clip_kept + @kept, clip_lost = clip_lost + @lost
       WHERE epoch = @epoch`,
    ),
    bytes: prepare<{ readonly bytes: number | null }>('SELECT sum(length) AS bytes FROM segment'),
  };
}

export type SegmentQueries = ReturnType<typeof prepareSegmentQueries>;
