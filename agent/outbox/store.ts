import { equal } from '../../common/bytes.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import type { RecordMediaV2 } from '../../protocol/objects/record-fields-v2.js';
import type { AnyRecord, LossReason } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import { fileName, type Bodies } from './bodies.js';
import { markHealth } from './health-marks.js';
import { PendingLosses } from './losses.js';
import { prepareQueries, type EpochRow, type Queries, type RecordRow } from './queries.js';
import { RecentRecords } from './recent-records.js';
import { Segments } from './segments.js';
import { isDamage, storeError, type Database } from './sqlite.js';

/** What a record carries beside the fields that the outbox fills in. */
export type RecordContent = Omit<
  AnyRecord,
  'version' | 'device' | 'account' | 'epoch' | 'claimHash' | 'seq' | 'prev' | 'media'
>;

export interface SealedMedia {
  readonly media: RecordMediaV2;
  readonly sealed: SealedObject;
  /** The period that it was sealed in, which must be in the outbox; absent for suite 1, and for a key record's own object. */
  readonly periodId?: Uint8Array;
}

/** Signs and opens objects for the outbox, which sees no key. */
export interface OutboxSigner {
  readonly device: Uint8Array;
  sign(record: AnyRecord): Verified<AnyRecord>;
  openClaim(bytes: Uint8Array): Verified<AnyClaim>;
  openRecord(bytes: Uint8Array): Verified<AnyRecord>;
}

export interface OutboxLimits {
  /** Of records and sealed media together. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  /** Of the bodies of clips, which are files of their own. */
  readonly clipMaxBytes: number;
}

export interface StoreDependencies {
  readonly signer: OutboxSigner;
  readonly limits: OutboxLimits;
  readonly sha256: (data: Uint8Array) => Uint8Array;
  readonly bodies: Bodies;
  /** Called when the disk is full and bodies are given up for what is new. */
  readonly onNoRoom: () => void;
  /** Called when SQLite finds the database damaged: installs another with {@link OutboxStore.replaceDatabase}. */
  readonly repair: (damaged: Database) => void;
  /** Deletes the copies of damaged databases that were set aside. */
  readonly eraseAside: () => void;
}

/** Room that is made on a full disk for one transaction. */
const ROOM_BYTES = 1024 * 1024;
/** A database with fewer pages left may be full by its own limit, which no room on the disk changes. */
const SPARE_PAGES = 256;

/**
 * The database behind the outbox: its statements, transactions and pending losses. The files of this folder work on it;
 * nothing outside the folder sees it. All calls are synchronous.
 */
export class OutboxStore {
  readonly signer: OutboxSigner;
  readonly limits: OutboxLimits;
  readonly sha256: (data: Uint8Array) => Uint8Array;
  readonly bodies: Bodies;
  readonly recent = new RecentRecords();
  private readonly deps: StoreDependencies;
  private db: Database;
  private statements: Queries;
  private pending: PendingLosses;
  private queuedSegments: Segments;
  private isClosed = false;
  private claimCache: Verified<AnyClaim> | null = null;
  /** Records inserted in the transaction that is open. */
  private inserted = 0;
  private announce: (count: number) => void = () => undefined;
  private announceReady: () => void = () => undefined;

  constructor(db: Database, deps: StoreDependencies) {
    this.db = db;
    this.deps = deps;
    this.signer = deps.signer;
    this.limits = deps.limits;
    this.sha256 = deps.sha256;
    this.bodies = deps.bodies;
    this.statements = prepareQueries(db);
    this.pending = new PendingLosses(this.statements);
    this.queuedSegments = new Segments(db, this.pending, this.bodies);
  }

  get queries(): Queries {
    this.ensureDatabase();
    return this.statements;
  }

  get losses(): PendingLosses {
    return this.pending;
  }

  get segments(): Segments {
    this.ensureDatabase();
    return this.queuedSegments;
  }

  /** Sets the listener that receives the number of records of each committed transaction. */
  onAppended(listener: (count: number) => void): void {
    this.announce = listener;
  }

  /** Sets the listener for committed transactions after which the cloud takes more bodies. */
  onSegmentsReady(listener: () => void): void {
    this.announceReady = listener;
  }

  /** Continues on another database. */
  replaceDatabase(db: Database): void {
    this.db = db;
    this.statements = prepareQueries(db);
    this.pending = new PendingLosses(this.statements);
    this.queuedSegments = new Segments(db, this.pending, this.bodies);
  }

  close(): void {
    this.isClosed = true;
    this.db.close();
  }

  /**
   * Runs in one transaction; an inner call is a savepoint. Throws errors of SQLite as SealcamErrors.
   * A damaged database is repaired after the outermost transaction failed, so that the next call finds a sound one. On a full
   * disk records go before the bodies of clips: some are given up, and `run` is called again.
   */
  transaction<T>(run: () => T): T {
    const isInner = this.db.inTransaction;
    try {
      return this.transactOnce(run);
    } catch (error) {
      const isFull = isSealcamError(error) && error.code === 'store-full';
      if (isInner || !isFull || this.isAtOwnLimit() || !this.makeRoom(ROOM_BYTES)) throw error;
      return this.transactOnce(run);
    }
  }

  /**
   * Gives up bodies that are wanted least, for this many bytes on a full disk. Returns whether there were any. Their files go
   * first: a database that cannot grow needs the room to say so.
   */
  makeRoom(bytes: number): boolean {
    const rows = this.reading(() => this.segments.leastWanted(bytes));
    if (rows.length === 0) return false;
    this.deps.onNoRoom();
    for (const row of rows) this.bodies.remove(fileName(row));
    this.transactOnce(() => {
      for (const row of rows) this.segments.drop(row, 'full');
    });
    return true;
  }

  private isAtOwnLimit(): boolean {
    const pages = (name: string): number => this.db.pragma(name, { simple: true }) as number;
    return pages('max_page_count') - pages('page_count') < SPARE_PAGES;
  }

  private transactOnce<T>(run: () => T): T {
    this.ensureDatabase();
    const isInner = this.db.inTransaction;
    const insertedBefore = this.inserted;
    const segmentMarks = this.queuedSegments.marks;
    let result: T;
    try {
      result = this.db.transaction(run).immediate();
    } catch (error) {
      this.inserted = insertedBefore;
      this.queuedSegments.rolledBack(segmentMarks);
      const known = storeError(error, this.db.name);
      if (!isInner && isDamage(known)) this.deps.repair(this.db);
      throw known;
    }
    if (!isInner) this.announceCommitted();
    return result;
  }

  /** Like {@link transaction}; what `run` deletes is also overwritten on disk. */
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

  /** Runs a read, a second time if the database had to be repaired. */
  reading<T>(read: () => T): T {
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

  /** Returns the claim of an epoch, verified once for each epoch in use rather than for each record. */
  claimIn({ claim, claim_hash: hash }: Pick<EpochRow, 'claim' | 'claim_hash'>): Verified<AnyClaim> {
    if (this.claimCache === null || !equal(this.claimCache.hash, hash)) {
      this.claimCache = this.signer.openClaim(new Uint8Array(claim));
    }
    return this.claimCache;
  }

  /** Returns the epoch that records are signed in. @throws SealcamError `unclaimed` */
  signingEpoch(): EpochRow {
    const row = this.queries.openEpoch.get();
    if (row === undefined) throw new SealcamError('unclaimed', 'the camera has no owner');
    return row;
  }

  /** Signs and inserts the next record of an epoch. Call it in a transaction. */
  insert(
    epoch: EpochRow,
    content: RecordContent,
    media: readonly SealedMedia[] = [],
    previous: Uint8Array | null = new Uint8Array(epoch.head_hash),
  ): Verified<AnyRecord> {
    const claim = this.claimIn(epoch);
    const seq = epoch.head_seq + 1;
    const record = this.signer.sign({
      ...(isVersionTwo(claim.value) ? { version: 2 as const } : {}),
      ...content,
      device: this.signer.device,
      account: claim.value.account,
      epoch: epoch.epoch,
      claimHash: claim.hash,
      seq,
      prev: previous,
      ...(media.length === 0 ? {} : { media: media.map((item) => item.media) }),
    });
    const { hash, bytes } = record;
    this.queries.insertRecord.run({ epoch: epoch.epoch, seq, hash, bytes, wallMs: content.time.wallMs });
    let size = bytes.length;
    for (const [position, { media: named, sealed }] of media.entries()) {
      const { header, body } = sealed;
      this.queries.insertMedia.run({ epoch: epoch.epoch, seq, position, mediaId: named.id, header, body });
      size += header.length + body.length;
    }
    this.notePeriods(record, media);
    this.queries.advanceHead.run({ epoch: epoch.epoch, seq, hash });
    this.queries.addQueued.run(1, size);
    if (content.kind === 'health') markHealth(this.queries, epoch.epoch, seq, content.time);
    this.queries.addRun.run({ boot: content.time.boot, atMs: content.time.monotonicMs });
    this.recent.add(epoch.epoch, seq, hash, content.time.monotonicMs);
    this.inserted++;
    return record;
  }

  /** Returns whether a record is a key record that must stay: something that it opens is here, or may still come. */
  isKeptKey({ epoch, seq }: Pick<RecordRow, 'epoch' | 'seq'>): boolean {
    return this.queries.isKeptKey.get(epoch, seq) !== undefined;
  }

  /** Deletes a record that has no receipt, and adds it to the pending losses. Call it in a transaction. */
  dropRecord(row: RecordRow, reason: LossReason): void {
    const { epoch, seq } = row;
    const size = this.sizeOf(row);
    this.queries.deletePeriods.run({ epoch, from: seq, to: seq });
    this.queries.addQueued.run(-1, -size);
    this.queries.addLost.run(1, epoch);
    this.segments.dropOf(epoch, seq, seq);
    this.losses.addRange(epoch, reason, seq, seq);
    this.losses.restorePending(epoch, seq, seq);
    this.queries.deleteRecords.run({ epoch, from: seq, to: seq });
  }

  /** Returns the size of a record with its media, in bytes. */
  sizeOf({ epoch, seq, bytes }: RecordRow): number {
    return bytes.length + (this.queries.mediaBytes.get(epoch, seq)?.bytes ?? 0);
  }

  /** Deletes closed epochs without records. Call it in a transaction. */
  deleteDrained(): void {
    this.queries.deleteDrainedEpochs.run();
    this.queries.deleteDrainedLosses.run();
    this.queries.trimPeriods.run();
  }

  /**
   * Returns the seq of a period's key record.
   * @throws SealcamError `period-unavailable` if the key record is not here: what was sealed could never be opened
   */
  keySeqOf(epoch: number, periodId: Uint8Array | undefined): number {
    const period = periodId === undefined ? undefined : this.queries.periodById.get(epoch, periodId);
    if (period === undefined) throw new SealcamError('period-unavailable', 'sealed without a key record in the outbox');
    return period.seq;
  }

  /**
   * Notes the period of a key record, or the periods that a record needs.
   * @throws SealcamError `period-unavailable`
   */
  private notePeriods({ value, bytes }: Verified<AnyRecord>, media: readonly SealedMedia[]): void {
    const { version, epoch, seq, key } = value;
    if (version === undefined) return;
    if (key !== undefined) {
      const body = media[0]?.sealed.body ?? null;
      this.queries.insertPeriod.run({ epoch, seq, periodId: key.periodId, record: bytes, body });
      return;
    }
    for (const { periodId } of media) {
      this.queries.insertPeriodUse.run({ epoch, seq, keySeq: this.keySeqOf(epoch, periodId) });
    }
  }

  /** An earlier repair may have failed, on a full disk for example. */
  private ensureDatabase(): void {
    if (!this.db.open && !this.isClosed) this.deps.repair(this.db);
  }

  private announceCommitted(): void {
    const count = this.inserted;
    this.inserted = 0;
    const readied = this.queuedSegments.committed();
    if (count > 0) this.announce(count);
    if (readied > 0) this.announceReady();
  }
}
