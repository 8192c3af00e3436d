import { toHex } from '../../common/bytes.js';
import type { RecordClip } from '../../protocol/objects/clip.js';
import type { LossReason } from '../../protocol/objects/record.js';
import { fileName, type Bodies } from './bodies.js';
import type { PendingLosses } from './losses.js';
import type { Place } from './queued.js';
import { prepareSegmentQueries, type SegmentQueries, type SegmentRow } from './segment-queries.js';
import type { Database } from './sqlite.js';

/** Drops at a time: a limit that was lowered far is reached over several transactions. */
const DROPS_MAX = 256;

/** Counts of segments; always produced = receipted + queued + lost. */
export interface SegmentTotals {
  readonly produced: number;
  readonly receipted: number;
  readonly queued: number;
  readonly lost: number;
  /** Of all epochs. */
  readonly queuedBytes: number;
}

/**
 * Segments of clips: their rows, and the files that belong to them. A file is written and synced before its row, and removed
 * after its row is gone, so that a power cut leaves at most a file without a row.
 */
export class Segments {
  readonly queries: SegmentQueries;
  private readonly losses: PendingLosses;
  private readonly bodies: Bodies;
  /** Files whose rows the transaction that is open deletes. */
  private leaving: string[] = [];
  private readied = 0;
  private lastClip: { readonly key: string; readonly seq: number } | null = null;

  constructor(db: Database, losses: PendingLosses, bodies: Bodies) {
    this.queries = prepareSegmentQueries(db);
    this.losses = losses;
    this.bodies = bodies;
  }

  add(row: SegmentRow): void {
    this.queries.insert.run(row);
  }

  /** Returns the first record of a clip for one that stands at `seq`. A clip goes on in one run of the program only. */
  clipSeq({ epoch, seq }: Place, { eventId, number }: Pick<RecordClip, 'eventId' | 'number'>): number {
    const key = `${String(epoch)}-${toHex(eventId)}-${String(number)}`;
    if (this.lastClip?.key !== key) this.lastClip = { key, seq };
    return this.lastClip.seq;
  }

  /** The cloud has these records, and now takes their bodies. */
  markReady(epoch: number, from: number, to: number): void {
    this.readied += this.queries.markReady.run({ epoch, from, to }).changes;
  }

  /** The cloud signed that it has the body. */
  stored(row: SegmentRow): void {
    this.remove(row);
    this.queries.count.run({ epoch: row.epoch, made: 0, kept: 1, lost: 0 });
  }

  /** Gives a body up; a loss names it. */
  drop(row: SegmentRow, reason: LossReason): void {
    this.losses.addMedia(row.epoch, reason, row.media_id, row.seq);
    this.lose(row);
  }

  /** Drops the bodies of records that leave without a receipt. What is said of the record holds for them too. */
  dropOf(epoch: number, from: number, to: number): void {
    for (const row of this.queries.ofRecords.all({ epoch, from, to })) this.lose(row);
  }

  /** Drops all bodies, of all epochs. No loss names them. Returns how many there were. */
  dropAll(): number {
    const rows = this.queries.all.all();
    for (const row of rows) this.lose(row);
    return rows.length;
  }

  /** Returns what is given up first, as many as make up this size, or all. */
  leastWanted(bytes: number): SegmentRow[] {
    let found = 0;
    return this.queries.leastWanted.all(DROPS_MAX).filter(({ length }) => {
      const isWanted = found < bytes;
      found += length;
      return isWanted;
    });
  }

  /** Drops what exceeds this size. */
  limit(maxBytes: number): void {
    const excess = (this.queries.bytes.get()?.bytes ?? 0) - maxBytes;
    if (excess > 0) for (const row of this.leastWanted(excess)) this.drop(row, 'full');
  }

  /** To be called when the outermost transaction has been committed. Returns how many bodies became ready to be sent. */
  committed(): number {
    for (const name of this.leaving) this.bodies.remove(name);
    const { readied } = this;
    this.leaving = [];
    this.readied = 0;
    return readied;
  }

  /** The transaction, or savepoint, that began with these marks was rolled back. */
  rolledBack({ leaving, readied }: SegmentMarks): void {
    this.leaving.length = leaving;
    this.readied = readied;
  }

  get marks(): SegmentMarks {
    return { leaving: this.leaving.length, readied: this.readied };
  }

  private lose(row: SegmentRow): void {
    this.remove(row);
    this.queries.count.run({ epoch: row.epoch, made: 0, kept: 0, lost: 1 });
  }

  private remove({ epoch, hash }: SegmentRow): void {
    this.queries.delete.run(epoch, hash);
    this.leaving.push(fileName({ epoch, hash }));
  }
}

interface SegmentMarks {
  readonly leaving: number;
  readonly readied: number;
}
