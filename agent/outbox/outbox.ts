import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Claim } from '../../protocol/objects/claim.js';
import type { Receipt } from '../../protocol/objects/receipt.js';
import type { LossReason, RecordMedia, SealcamRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import { isDamage, storeError, type Database } from './database.js';
import { enforceLimits, type OutboxLimits } from './limits.js';
import { PendingLosses } from './losses.js';
import { RecentRecords } from './recent-records.js';
import { openMedia, openRow, type Checks, type Place, type QueuedRecord } from './queued.js';
import { prepareQueries, type EpochRow, type MediaRow, type Queries, type RecordRow } from './queries.js';

/** What the record says beside the fields that the outbox fills in itself. */
export type RecordContent = Omit<
  SealcamRecord,
  'device' | 'account' | 'epoch' | 'claimHash' | 'seq' | 'prev' | 'media'
>;

export interface SealedMedia {
  readonly media: RecordMedia;
  readonly sealed: SealedObject;
}

export type { Place, QueuedRecord };

/** produced = receipted + queued + quarantined + lost, always. */
export interface Totals {
  readonly produced: number;
  readonly receipted: number;
  readonly queued: number;
  readonly quarantined: number;
  readonly lost: number;
}

/** The outbox asks for these and knows nothing of keys. */
export interface OutboxSigner {
  readonly device: Uint8Array;
  sign(record: SealcamRecord): Verified<SealcamRecord>;
  openClaim(bytes: Uint8Array): Verified<Claim>;
  openRecord(bytes: Uint8Array): Verified<SealcamRecord>;
}

export interface OutboxDependencies {
  readonly signer: OutboxSigner;
  readonly limits: OutboxLimits;
  readonly sha256: (data: Uint8Array) => Uint8Array;
  /** Called when SQLite finds the database damaged: puts another in its place with {@link Outbox.replaceDatabase}. */
  readonly repair: (damaged: Database) => void;
  /** Deletes what was set aside of damaged databases. */
  readonly eraseAside: () => void;
}

export interface ReceiptOutcome {
  readonly deleted: number;
  readonly quarantined: number;
  /** Ranges whose hash is not our record's: another history's receipt, which deletes nothing. */
  readonly otherHistory: number;
  /** It speaks of records that this camera never made: signing stops until the owner claims anew. */
  readonly stopped: boolean;
}

const QUARANTINE_MAX = 64;

/**
 * Every record from the moment it exists until its signed receipt.
 * Seq, chain head, record, media and counters change in one transaction; all calls are synchronous.
 */
export class Outbox {
  /** What an order of the owner's may name. */
  readonly recent = new RecentRecords();
  readonly signer: OutboxSigner;
  private readonly deps: OutboxDependencies;
  private readonly checks: Checks;
  private db: Database;
  private statements: Queries;
  private pending: PendingLosses;
  private isClosed = false;
  private claimCache: Verified<Claim> | null = null;

  constructor(db: Database, deps: OutboxDependencies) {
    this.db = db;
    this.deps = deps;
    this.signer = deps.signer;
    this.checks = { sha256: deps.sha256, openRecord: (bytes) => deps.signer.openRecord(bytes) };
    this.statements = prepareQueries(db);
    this.pending = new PendingLosses(this.statements);
  }

  get queries(): Queries {
    this.ensureDatabase();
    return this.statements;
  }

  get losses(): PendingLosses {
    return this.pending;
  }

  /** Goes on with another database. */
  replaceDatabase(db: Database): void {
    this.db = db;
    this.statements = prepareQueries(db);
    this.pending = new PendingLosses(this.statements);
  }

  close(): void {
    this.isClosed = true;
    this.db.close();
  }

  /** Runs in one transaction; what SQLite says comes out as our codes. */
  transaction<T>(run: () => T): T {
    this.ensureDatabase();
    const isInner = this.db.inTransaction;
    try {
      return this.db.transaction(run).immediate();
    } catch (error) {
      const known = storeError(error, this.db.name);
      // What was asked for has failed and is reported; what comes next finds a sound database.
      if (!isInner && isDamage(known)) this.deps.repair(this.db);
      throw known;
    }
  }

  /** Like {@link transaction}, and what is deleted in it is overwritten on the disk. */
  erase(run: () => void): void {
    this.db.pragma('secure_delete = ON');
    try {
      this.transaction(run);
      this.db.pragma('wal_checkpoint(TRUNCATE)');
      this.deps.eraseAside();
    } finally {
      this.db.pragma('secure_delete = FAST');
    }
  }

  /** The claim of the open epoch, or null without an owner. */
  currentClaim(): Verified<Claim> | null {
    const row = this.reading(() => this.queries.openEpoch.get());
    return row === undefined ? null : this.claimIn(row);
  }

  /** The claim of any epoch that still has records here. */
  claimOf(epoch: number): Verified<Claim> | null {
    const row = this.reading(() => this.queries.epoch.get(epoch));
    return row === undefined ? null : this.claimIn(row);
  }

  /**
   * Signs and stores one record of the open epoch.
   * Null if it was sealed under a claim that is no longer the current one: then it is discarded and counted, never resealed.
   *
   * @throws SealcamError `unclaimed`, `signing-stopped`, `store-full`, `store-unavailable`
   */
  append(
    content: RecordContent,
    media: readonly SealedMedia[] = [],
    sealedFor?: Uint8Array,
  ): Verified<SealcamRecord> | null {
    return this.transaction(() => {
      const epoch = this.openEpoch();
      if (sealedFor !== undefined && !equal(sealedFor, new Uint8Array(epoch.claim_hash))) {
        this.losses.addCount(epoch.epoch, 'claim-changed', 1);
        return null;
      }
      const record = this.insert(epoch, content, media);
      enforceLimits(
        this.queries,
        this.losses,
        this.deps.limits,
        content.time,
        (oldest) => openRow(oldest, this.checks)?.value.time ?? null,
      );
      return record;
    });
  }

  /** Inserts the next record of an epoch; inside a transaction of the caller's. */
  insert(
    epoch: EpochRow,
    content: RecordContent,
    media: readonly SealedMedia[] = [],
    previous: Uint8Array | null = new Uint8Array(epoch.head_hash),
  ): Verified<SealcamRecord> {
    const claim = this.claimIn(epoch);
    const seq = epoch.head_seq + 1;
    const record = this.signer.sign({
      ...content,
      device: this.signer.device,
      account: claim.value.account,
      epoch: epoch.epoch,
      claimHash: claim.hash,
      seq,
      prev: previous,
      ...(media.length === 0 ? {} : { media: media.map((item) => item.media) }),
    });
    this.queries.insertRecord.run(epoch.epoch, seq, record.hash, record.bytes, content.time.wallMs);
    let size = record.bytes.length;
    for (const [position, { media: named, sealed }] of media.entries()) {
      this.queries.insertMedia.run(epoch.epoch, seq, position, named.id, sealed.header, sealed.body);
      size += sealed.header.length + sealed.body.length;
    }
    this.queries.setHead.run(seq, record.hash, epoch.epoch);
    this.queries.addQueued.run(1, size);
    this.recent.add(epoch.epoch, seq, record.hash, content.time.monotonicMs);
    return record;
  }

  /** Closed epochs of which nothing waits any more. */
  deleteDrained(): void {
    this.queries.deleteDrainedEpochs.run();
    this.queries.deleteDrainedLosses.run();
  }

  /** Counts things that were lost before they had a seq; said in the next gap record. */
  countLoss(reason: LossReason, count = 1): void {
    this.transaction(() => {
      const epoch = this.queries.openEpoch.get();
      if (epoch !== undefined) this.losses.addCount(epoch.epoch, reason, count);
    });
  }

  /** Says pending losses in a gap record, if there are any. */
  flushLosses(time: SealcamRecord['time']): Verified<SealcamRecord> | null {
    return this.transaction(() => {
      const epoch = this.queries.openEpoch.get();
      if (epoch === undefined || epoch.stopped === 1 || this.losses.isEmpty(epoch.epoch)) return null;
      return this.insert(epoch, {
        kind: 'gap',
        time,
        loss: this.losses.claimForRecord(epoch.epoch, epoch.head_seq + 1),
      });
    });
  }

  /** Up to `count` records after a place, oldest first. One that the disk has spoiled is dropped, and the loss is said. */
  read(after: Place, count: number): QueuedRecord[] {
    for (;;) {
      const rows = this.reading(() => this.queries.recordsAfter.all(after.epoch, after.seq, count));
      const records = rows.map((row) => this.soundRecord(row));
      if (!records.includes(null)) return records.filter((record) => record !== null);
    }
  }

  /** One record, if it still waits for its receipt. */
  find(place: Place): QueuedRecord | null {
    const row = this.reading(() => this.queries.record.get(place.epoch, place.seq));
    return row === undefined ? null : this.soundRecord(row);
  }

  /** The next place after this one that is no accept's; its record is not looked at. */
  placeAfter({ epoch, seq }: Place): Place | null {
    return this.reading(() => this.queries.placeAfter.get(epoch, seq)) ?? null;
  }

  /** Place of the oldest accept that waits for its receipt. */
  oldestAccept(): Place | null {
    return this.reading(() => this.queries.oldestAccept.get()) ?? null;
  }

  /** Place of the newest record that waits; null if none does. */
  newest(): Place | null {
    return this.reading(() => this.queries.newestRecord.get()) ?? null;
  }

  /** Deletes what a receipt proves to be stored. The receipt must have been checked against the claim of its epoch. */
  applyReceipt({ value }: Verified<Receipt>): ReceiptOutcome {
    return this.transaction(() => {
      const epoch = this.queries.epoch.get(value.epoch);
      const outcome = { deleted: 0, quarantined: 0, otherHistory: 0, stopped: false };
      if (epoch === undefined) return outcome;
      for (const [from, to, hash] of value.ranges) {
        if (to > epoch.head_seq) {
          this.queries.stopEpoch.run(epoch.epoch);
          outcome.stopped = true;
          continue;
        }
        const last = this.queries.record.get(epoch.epoch, to);
        if (last === undefined) continue;
        if (!equal(new Uint8Array(last.hash), hash)) outcome.otherHistory++;
        else outcome.deleted += this.deleteReceipted(epoch.epoch, from, to);
      }
      for (const [seq, hash, code] of value.rejects ?? []) {
        if (this.moveToQuarantine(epoch.epoch, seq, hash, code)) outcome.quarantined++;
      }
      this.deleteDrained();
      return outcome;
    });
  }

  /** Totals of the open epoch. */
  totals(): Totals {
    const row = this.reading(() => this.queries.openEpoch.get());
    if (row === undefined) return { produced: 0, receipted: 0, queued: 0, quarantined: 0, lost: 0 };
    const { produced, receipted, quarantined, lost } = row;
    return { produced, receipted, queued: produced - receipted - quarantined - lost, quarantined, lost };
  }

  /** Of all epochs, in O(1). */
  queued(): { readonly records: number; readonly bytes: number } {
    const row = this.reading(() => this.queries.device.get());
    return { records: row?.queued_records ?? 0, bytes: row?.queued_bytes ?? 0 };
  }

  private openEpoch(): EpochRow {
    const row = this.queries.openEpoch.get();
    if (row === undefined) throw new SealcamError('unclaimed', 'the camera has no owner');
    if (row.stopped === 1) throw new SealcamError('signing-stopped', `epoch ${String(row.epoch)} is stopped`);
    return row;
  }

  /** The last repair may have failed, on a full disk say. */
  private ensureDatabase(): void {
    if (!this.db.open && !this.isClosed) this.deps.repair(this.db);
  }

  /** Reads; once more where the database had to be replaced. */
  private reading<T>(read: () => T): T {
    this.ensureDatabase();
    const isInner = this.db.inTransaction;
    try {
      return read();
    } catch (error) {
      const known = storeError(error, this.db.name);
      if (isInner || !isDamage(known)) throw known;
      this.deps.repair(this.db);
      return read();
    }
  }

  /** Verified once for each epoch that is worked with, not for each record. */
  private claimIn({ claim, claim_hash: hash }: Pick<EpochRow, 'claim' | 'claim_hash'>): Verified<Claim> {
    if (this.claimCache === null || !equal(this.claimCache.hash, hash)) {
      this.claimCache = this.signer.openClaim(new Uint8Array(claim));
    }
    return this.claimCache;
  }

  /** The record with its media; null if the disk has spoiled it, and then it is gone. */
  private soundRecord(row: RecordRow): QueuedRecord | null {
    const { epoch, seq } = row;
    const record = openRow(row, this.checks);
    if (record === null) return this.dropCorrupted(row);
    // The record says how many objects it had; those that were dropped since are null.
    const named = record.value.media ?? [];
    const media = named.map((): SealedObject | null => null);
    for (const stored of this.reading(() => this.queries.media.all(epoch, seq))) {
      const { position } = stored;
      const sealed = openMedia(stored, named[position], this.checks);
      if (sealed !== null) media[position] = sealed;
      else if (this.queries.epoch.get(epoch)?.is_open === 1) this.dropCorruptedMedia(row, stored, named[position]?.id);
      else {
        // A closed epoch can sign no loss any more, and a record whose missing picture nobody named is never receipted.
        return this.dropCorrupted(row);
      }
    }
    return { epoch, seq, hash: record.hash, bytes: record.bytes, media };
  }

  private dropCorrupted({ epoch, seq, bytes }: RecordRow): null {
    this.transaction(() => {
      const size = bytes.length + (this.queries.mediaBytes.get(epoch, seq)?.bytes ?? 0);
      this.queries.deleteRange.run(epoch, seq, seq);
      this.queries.addQueued.run(-1, -size);
      this.queries.count.run(0, 0, 1, epoch);
      this.losses.addRange(epoch, 'corrupt', seq, seq);
      this.losses.restorePending(epoch, seq, seq);
    });
    return null;
  }

  private dropCorruptedMedia({ epoch, seq }: RecordRow, stored: MediaRow, id: Uint8Array | undefined): void {
    this.transaction(() => {
      this.queries.deleteOneMedia.run(epoch, seq, stored.position);
      this.queries.addQueued.run(0, -stored.header.length - stored.body.length);
      if (id !== undefined) this.losses.addMedia(epoch, 'corrupt', id, seq);
    });
  }

  private deleteReceipted(epoch: number, from: number, to: number): number {
    const totals = this.queries.rangeTotals.get(epoch, from, to);
    const records = totals?.records ?? 0;
    if (records === 0) return 0;
    this.queries.deleteRange.run(epoch, from, to);
    this.queries.deleteSaid.run(epoch, from, to);
    this.queries.addQueued.run(-records, -(totals?.bytes ?? 0));
    this.queries.count.run(records, 0, 0, epoch);
    if (from === 0) this.queries.acceptReceipted.run(epoch);
    return records;
  }

  private moveToQuarantine(epoch: number, seq: number, hash: Uint8Array, code: string): boolean {
    const row = this.queries.record.get(epoch, seq);
    if (row === undefined || !equal(new Uint8Array(row.hash), hash)) return false;
    const size = row.bytes.length + (this.queries.mediaBytes.get(epoch, seq)?.bytes ?? 0);
    this.queries.quarantine.run(epoch, seq, code, row.bytes);
    const excess = (this.queries.quarantineSize.get()?.records ?? 0) - QUARANTINE_MAX;
    if (excess > 0) this.queries.trimQuarantine.run(excess);
    this.queries.deleteRange.run(epoch, seq, seq);
    this.queries.deleteSaid.run(epoch, seq, seq);
    this.queries.addQueued.run(-1, -size);
    this.queries.count.run(0, 1, 0, epoch);
    return true;
  }
}
