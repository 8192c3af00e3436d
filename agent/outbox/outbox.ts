import type { AnyClaim } from '../../protocol/objects/claim.js';
import type { AnyCommand } from '../../protocol/objects/command.js';
import type { MediaReceipt } from '../../protocol/objects/media-receipt.js';
import type { AnyReceipt } from '../../protocol/objects/receipt.js';
import type { AnyRecord, LossReason, RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { append, appendKey, appendWithLoss, countLoss, flushLosses, type NewPeriod } from './append.js';
import {
  appendClip,
  applyMediaReceipt,
  segmentsToSend,
  segmentTotals,
  type ClipContent,
  type NewSegment,
  type QueuedSegment,
} from './clips.js';
import { beginEpoch, consumeFirstStart, endEpoch, unpackKemKeys, type Ownership } from './epochs.js';
import { giveUp } from './limits.js';
import {
  answerOrder,
  commandCounter,
  standingOrders,
  storeOrder,
  type OrderAnswer,
  type StandingOrder,
} from './orders.js';
import { hasPeriod } from './periods.js';
import type { EpochRow } from './queries.js';
import type { Place, QueuedRecord } from './queued.js';
import { applyReceipt, type ReceiptOutcome } from './receipts.js';
import type { SegmentTotals } from './segments.js';
import { readSound } from './soundness.js';
import type { OutboxSigner, OutboxStore, RecordContent, SealedMedia } from './store.js';

export type { ClipContent, NewSegment, QueuedSegment };
export type { OutboxSigner, Place, QueuedRecord, ReceiptOutcome, RecordContent, SealedMedia };

/** Counts of records; always produced = receipted + queued + quarantined + lost. */
export interface Totals {
  readonly produced: number;
  readonly receipted: number;
  readonly queued: number;
  readonly quarantined: number;
  readonly lost: number;
}

/** A claim as its bytes lie in the database, unverified. */
export interface StoredClaim {
  readonly epoch: number;
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
  readonly isOpen: boolean;
  /** KEM keys of a claim of version 2, in its order. */
  readonly kemKeys: readonly Uint8Array[];
}

/**
 * The outbox holds every record from the moment it exists until its signed receipt. Seq, chain head, record, media and
 * counters change in one transaction. All calls are synchronous, and a change is on disk when the call returns.
 *
 * This class is what the rest of the agent sees; {@link openOutbox} makes it. The work is done in the files beside it, on
 * an {@link OutboxStore} that only they see.
 */
export class Outbox {
  private readonly store: OutboxStore;

  constructor(store: OutboxStore) {
    this.store = store;
  }

  /**
   * Sets the listener that receives the number of records that a transaction appended, of any kind. It is called after the
   * commit, while the call that appended is still on the stack: it must neither throw nor append.
   */
  onAppended(listener: (count: number) => void): void {
    this.store.onAppended(listener);
  }

  close(): void {
    this.store.close();
  }

  /**
   * Signs and stores one record of the open epoch.
   * Returns null if its media was sealed for another claim than the current one: the record is then discarded and counted,
   * never sealed again. What was sealed in a period without a key record here is refused.
   *
   * @param sealedFor hash of the claim that the media was sealed for
   * @throws SealcamError `unclaimed`, `period-unavailable`, `store-full`, `store-unavailable`
   */
  append(
    content: RecordContent,
    media: readonly SealedMedia[] = [],
    sealedFor?: Uint8Array,
  ): Verified<AnyRecord> | null {
    return append(this.store, content, media, sealedFor);
  }

  /**
   * Appends a record that names `count` losses of a reason, and the losses that were pending. Returns null, and counts
   * nothing, without an epoch that signs.
   */
  appendWithLoss(content: Omit<RecordContent, 'loss'>, reason: LossReason, count: number): Verified<AnyRecord> | null {
    return appendWithLoss(this.store, content, reason, count);
  }

  /**
   * Signs and stores the key record of a period with its object; from then on the period may be used. Returns null if its claim
   * is no longer the current one.
   *
   * @throws SealcamError `unclaimed`, `store-full`, `store-unavailable`
   */
  appendKey(period: NewPeriod, claimHash: Uint8Array, time: RecordTime): Verified<AnyRecord> | null {
    return appendKey(this.store, period, claimHash, time);
  }

  /**
   * Writes the bodies of segments as files, then signs and stores the clip record that names them, with a row each. Returns null
   * if they were sealed for another claim than the current one: they are then discarded and counted. A body for which the disk
   * has no room is named in the record all the same, and a signed loss says that it is lost.
   *
   * @param sealedFor hash of the claim that the segments were sealed for
   * @throws SealcamError `unclaimed`, `period-unavailable`, `store-full`, `store-unavailable`
   */
  appendClip(content: ClipContent, segments: readonly NewSegment[], sealedFor: Uint8Array): Verified<AnyRecord> | null {
    return appendClip(this.store, content, segments, sealedFor);
  }

  /**
   * Returns up to `count` bodies whose clip record has its receipt, in the order in which they are sent: the newest clip first,
   * from its beginning.
   */
  segmentsToSend(count: number): readonly QueuedSegment[] {
    return segmentsToSend(this.store, count);
  }

  /**
   * Deletes the bodies that a media receipt says are stored; a refusal becomes a signed loss. The receipt must have been verified
   * against the claim of its epoch.
   */
  applyMediaReceipt(receipt: Verified<MediaReceipt>): { readonly stored: number; readonly refused: number } {
    return applyMediaReceipt(this.store, receipt);
  }

  /** Sets the listener that is called when the cloud takes more bodies: after the commit. It must not throw. */
  onSegmentsReady(listener: () => void): void {
    this.store.onSegmentsReady(listener);
  }

  /** Returns the totals of segments of the open epoch. */
  segmentTotals(): SegmentTotals {
    return segmentTotals(this.store);
  }

  /** Tries the place of bodies with bytes that leave nothing behind. @throws SealcamError `store-full`, `store-unavailable`, `store-corrupt` */
  tryBodies(bytes: Uint8Array): void {
    this.store.bodies.tryOut(bytes, this.store.sha256(bytes));
  }

  /** Returns whether a period of the open epoch may be used: its key record is here, or has its receipt. */
  hasPeriod(epoch: number, periodId: Uint8Array): boolean {
    return hasPeriod(this.store, epoch, periodId);
  }

  /** Counts things that were lost before they had a seq; the next gap record names them. */
  countLoss(reason: LossReason, count = 1): void {
    countLoss(this.store, reason, count);
  }

  /** Appends a gap record that names the pending losses. Returns null if none is pending. */
  flushLosses(time: RecordTime): Verified<AnyRecord> | null {
    return flushLosses(this.store, time);
  }

  /**
   * Deletes what a receipt proves to be stored. The receipt must have been verified against the claim of its epoch. `time`
   * is now: a reject may make the camera sign that it lost its state.
   */
  applyReceipt(receipt: Verified<AnyReceipt>, time: RecordTime): ReceiptOutcome {
    return applyReceipt(this.store, receipt, time);
  }

  /**
   * Gives up what the other side can never take: the pictures of a record, which a gap then names, or the whole record. Of a
   * closed epoch it is always the whole record. Returns what was given up, null for an accept and where nothing is left.
   */
  giveUp(place: Place, what: 'media' | 'record'): 'media' | 'record' | null {
    return giveUp(this.store, place, what);
  }

  /** Returns up to `count` records after a place, oldest first. A corrupted one is dropped and added to the losses. */
  read(after: Place, count: number): QueuedRecord[] {
    const { store } = this;
    for (;;) {
      const rows = store.reading(() => {
        return store.queries.recordsAfter.all({ epoch: after.epoch, seq: after.seq, limit: count });
      });
      const records = rows.map((row) => readSound(store, row));
      if (!records.includes(null)) return records.filter((record) => record !== null);
    }
  }

  /** Returns one record, or null if it is not here or was corrupted. */
  find(place: Place): QueuedRecord | null {
    const row = this.store.reading(() => this.store.queries.record.get(place.epoch, place.seq));
    return row === undefined ? null : readSound(this.store, row);
  }

  /** Returns the accept of the open epoch, once it has its receipt; null before, and where it was not kept. */
  receiptedAccept(): { readonly epoch: number; readonly bytes: Uint8Array } | null {
    const row = this.store.reading(() => this.store.queries.openEpoch.get());
    if (row?.accept === undefined || row.accept === null) return null;
    return { epoch: row.epoch, bytes: new Uint8Array(row.accept) };
  }

  /** Returns whether a record waits here, without reading it. */
  has({ epoch, seq }: Place): boolean {
    return this.store.reading(() => this.store.queries.hasRecord.get(epoch, seq)) !== undefined;
  }

  /** Returns the next place after this one, accepts left out. Its record is not read. */
  placeAfter({ epoch, seq }: Place): Place | null {
    return this.store.reading(() => this.store.queries.placeAfter.get(epoch, seq)) ?? null;
  }

  /** Returns the place of the oldest accept without a receipt. */
  oldestAccept(): Place | null {
    return this.store.reading(() => this.store.queries.oldestAccept.get()) ?? null;
  }

  /** Returns the place of the key record with which this camera seals now; null where it has its receipt, or before the first. */
  newestKey(): Place | null {
    return this.store.reading(() => this.store.queries.newestKey.get()) ?? null;
  }

  /** Returns the place of the newest queued record. */
  newest(): Place | null {
    return this.store.reading(() => this.store.queries.newestRecord.get()) ?? null;
  }

  /** Returns the place of the oldest record that has a picture here. Before it, all were dropped. */
  oldestPicture(): Place | null {
    return this.store.reading(() => this.store.queries.oldestMedia.get()) ?? null;
  }

  /** Returns the totals of the open epoch. */
  totals(): Totals {
    const row = this.store.reading(() => this.store.queries.openEpoch.get());
    if (row === undefined) return { produced: 0, receipted: 0, queued: 0, quarantined: 0, lost: 0 };
    const { produced, receipted, quarantined, lost } = row;
    return { produced, receipted, queued: produced - receipted - quarantined - lost, quarantined, lost };
  }

  /** Returns what is queued in all epochs, in O(1). */
  queued(): { readonly records: number; readonly bytes: number } {
    const row = this.store.reading(() => this.store.queries.device.get());
    return { records: row?.queued_records ?? 0, bytes: row?.queued_bytes ?? 0 };
  }

  /**
   * Returns the milliseconds since the record with this hash was made, null if it was not made in the last half hour of this run of the program.
   */
  recordAgeMs({ epoch, seq }: Place, hash: Uint8Array, nowMs: number): number | null {
    return this.store.recent.ageMs(epoch, seq, hash, nowMs);
  }

  /** Returns how many marked health records came after a place in its epoch, up to one more than an order may be old. */
  healthSince({ epoch, seq }: Place): number {
    return this.store.reading(() => this.store.queries.healthMarksAfter.get(epoch, seq))?.marks ?? 0;
  }

  /** Returns the claim of the open epoch, null without an owner. */
  currentClaim(): Verified<AnyClaim> | null {
    const row = this.store.reading(() => this.store.queries.openEpoch.get());
    return row === undefined ? null : this.store.claimIn(row);
  }

  /** Returns the claim of any epoch that still has records here. */
  claimOf(epoch: number): Verified<AnyClaim> | null {
    const row = this.store.reading(() => this.store.queries.epoch.get(epoch));
    return row === undefined ? null : this.store.claimIn(row);
  }

  /**
   * Returns the claim of an epoch, or of the open one, unverified. Unlike the other reads it never repairs the database:
   * the mirror is written from it, and must not name a record of the database that is being replaced.
   */
  storedClaim(epoch: number | 'open'): StoredClaim | null {
    const { queries } = this.store;
    const row: EpochRow | undefined = epoch === 'open' ? queries.openEpoch.get() : queries.epoch.get(epoch);
    if (row === undefined) return null;
    return {
      epoch: row.epoch,
      hash: new Uint8Array(row.claim_hash),
      bytes: new Uint8Array(row.claim),
      isOpen: row.is_open === 1,
      kemKeys: unpackKemKeys(row.kem_keys),
    };
  }

  /** Returns the last epoch, 0 before the first claim, and its claim's hash. Both survive release and reset. */
  lastEpoch(): { readonly epoch: number; readonly claimHash: Uint8Array | null } {
    const device = this.store.queries.device.get();
    const claimHash = device?.last_claim_hash ?? null;
    return { epoch: device?.last_epoch ?? 0, claimHash: claimHash === null ? null : new Uint8Array(claimHash) };
  }

  /** Returns where the camera's ownership stands. */
  ownership(): Ownership {
    const { epoch, claimHash } = this.lastEpoch();
    return {
      lastEpoch: epoch,
      lastClaimHash: claimHash,
      claim: this.currentClaim(),
    };
  }

  /**
   * Opens the epoch of a claim, which the caller has checked against the claim window. Returns the accept record.
   *
   * @throws SealcamError `claim-refused` if it does not follow the last epoch, `store-full`, `store-unavailable`
   */
  beginEpoch(claim: Verified<AnyClaim>, time: RecordTime, kemKeys?: readonly Uint8Array[]): Verified<AnyRecord> {
    return beginEpoch(this.store, claim, time, kemKeys);
  }

  /** Ends the ownership: erases everything but the tombstone and an accept without a receipt. */
  endEpoch(reason: 'release' | 'reset', time: RecordTime): void {
    endEpoch(this.store, reason, time);
  }

  /** Returns whether this is the first start without an owner; true only once. */
  consumeFirstStart(): boolean {
    return consumeFirstStart(this.store);
  }

  /** Returns the last standing order of each kind, in its signed bytes. */
  standingOrders(): readonly StandingOrder[] {
    return standingOrders(this.store);
  }

  /**
   * Returns the highest counter used under the current claim, in version 2 by this signer: 0 before the first order, null
   * without an owner.
   */
  commandCounter(signer: Uint8Array): number | null {
    return commandCounter(this.store, signer);
  }

  /** Uses up the counter of an order, and stores the order with the time of now if it is a standing one. */
  storeOrder(command: Verified<AnyCommand>, time: RecordTime): void {
    storeOrder(this.store, command, time);
  }

  /** Records the answer to an order, in one transaction with its counter and, if it was done, the order itself. */
  answerOrder(answer: OrderAnswer): Verified<AnyRecord> | null {
    return answerOrder(this.store, answer);
  }
}
