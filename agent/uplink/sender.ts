import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { encodeUp } from '../../protocol/transport/messages.js';
import type { Outbox, Place, QueuedRecord } from '../outbox/outbox.js';
import {
  nextTokenMs,
  refill,
  slowDown,
  startDrain,
  spendBacklog,
  spendClip,
  spendLive,
  withCloudInterval,
  type DrainState,
} from './drain.js';
import { Outstanding, type Waiting } from './outstanding.js';
import { Oversize, type HeldRecord } from './oversize.js';
import { PacketLimit } from './packet-limit.js';

/** One MQTT message, and the records in it. */
export interface Parcel {
  readonly records: readonly QueuedRecord[];
  readonly payload: Uint8Array;
  /** Sent for the first time and immediately; otherwise it is backlog, or a repeat. */
  readonly isLive: boolean;
  /** One record without its pictures, which are too large for the broker: it gets no receipt. */
  readonly isBare: boolean;
}

/** What is known of the broker's limit. Both outlive the connection. */
export interface SizeLimits {
  readonly limit: PacketLimit;
  readonly oversize: Oversize;
}

/** Records without a receipt that may be outstanding at one time. */
const LIVE_OUTSTANDING_MAX = 64;
const BACKLOG_OUTSTANDING_MAX = 128;
/** Upper bounds of what CBOR adds to a message, and to each record or media in it. */
const ENVELOPE_BYTES = 512;
const ITEM_BYTES = 16;
const BEFORE_ALL: Place = { epoch: 0, seq: -1 };
/** Acknowledged so often without a receipt, while others had theirs: the broker may drop it for its size. */
const SILENT_ATTEMPTS_MIN = 3;

/**
 * Decides what leaves next over one connection: live records first, then repeats that are due, then the backlog as far as
 * its tokens allow. Reads the outbox and changes nothing in it.
 */
export class Sender {
  private readonly outbox: Outbox;
  private readonly outstanding = new Outstanding(LIVE_OUTSTANDING_MAX, BACKLOG_OUTSTANDING_MAX);
  private drain: DrainState;
  /** Everything up to this place was in the outbox before the connection: the backlog. */
  private readonly boundary: Place;
  private liveCursor: Place;
  private backlogCursor: Place = BEFORE_ALL;
  private readonly limit: PacketLimit;
  private readonly oversize: Oversize;
  private nowMs: number;
  /** The cloud answered over this connection: it knows the epoch. */
  private hasReceipt = false;
  private isHandedIn = false;

  constructor(
    outbox: Outbox,
    nowMs: number,
    ownRate: number,
    cloudIntervalMs: number | null,
    { limit, oversize }: SizeLimits = { limit: new PacketLimit(''), oversize: new Oversize(Infinity) },
  ) {
    this.outbox = outbox;
    this.limit = limit;
    this.oversize = oversize;
    this.nowMs = nowMs;
    this.boundary = outbox.newest() ?? BEFORE_ALL;
    this.liveCursor = this.boundary;
    this.drain = startDrain(nowMs, ownRate, cloudIntervalMs);
  }

  /**
   * Returns the next message to publish, or null if nothing may leave now. `liveOnly`: enough backlog and repeats are in
   * flight.
   */
  next(nowMs: number, liveOnly = false): Parcel | null {
    this.nowMs = nowMs;
    this.drain = refill(this.drain, nowMs);
    const live = this.nextFirst() ?? this.nextLive() ?? this.nextBare();
    return live !== null || liveOnly ? live : (this.nextRepeat() ?? this.nextHeld() ?? this.nextBacklog());
  }

  /** Returns when to call {@link next} again if nothing else happens; Infinity if there is nothing to wait for. */
  wakeMs(): number {
    let wake = this.outstanding.nextDueMs();
    const hasLive = this.peekAccept() !== null || this.peekLive() !== null || this.peekBare() !== null;
    if (hasLive) wake = Math.min(wake, nextTokenMs(this.drain, 'live'));
    const hasBacklog = this.peekBacklog() !== null || this.peekHeld() !== null;
    if (hasBacklog) wake = Math.min(wake, nextTokenMs(this.drain, 'backlog'));
    if (this.oversize.size === 0) return wake;
    const later = [this.limit.nextRetryMs, this.oversize.nextExpiryMs].filter((atMs) => atMs > this.nowMs);
    return Math.min(wake, ...later);
  }

  /** Notes that the broker has the message; its records now wait for their receipts. */
  markAcknowledged(
    parcel: { readonly records: readonly Place[]; readonly isBare?: boolean },
    nowMs: number,
    windowMs: number,
    uniform: number,
  ): void {
    for (const place of parcel.records) {
      this.outstanding.markSent(place, nowMs, windowMs, uniform);
      if (parcel.isBare !== true) continue;
      this.oversize.markBareSent(place);
      this.outstanding.forget(place);
    }
  }

  /**
   * Notes that the broker finds the message too large: its records leave one by one, or without their pictures, or are sent
   * again later.
   */
  markTooLarge({ records }: Pick<Parcel, 'records'>, nowMs: number, windowMs: number, uniform: number): void {
    this.nowMs = nowMs;
    for (const record of records) {
      if (this.isHeld(record)) this.outstanding.forget(record);
      else if (records.length > 1) this.outstanding.markDue(record, nowMs);
      else this.outstanding.markSent(record, nowMs, windowMs, uniform);
    }
  }

  /** Returns a record that was held for as long as is allowed, and still does not fit. */
  nextExpired(nowMs: number): HeldRecord | null {
    return this.oversize.nextExpired(nowMs, this.limit.maxBytes(nowMs));
  }

  /** Sends a record again later whose pictures were given up: its receipt follows that of the loss. */
  markGivenUp(place: Place, nowMs: number, windowMs: number, uniform: number): void {
    this.oversize.release(place);
    this.outstanding.markSending(place, false, 0);
    this.outstanding.markSent(place, nowMs, windowMs, uniform);
  }

  /** Drains the backlog more slowly, after the broker answered "quota exceeded". */
  slowDown(): void {
    this.drain = slowDown(this.drain);
  }

  setDrainInterval(intervalMs: number): void {
    this.drain = withCloudInterval(this.drain, intervalMs);
  }

  /** Whether a record was sent and has no receipt. */
  isOutstanding(place: Place): boolean {
    return this.outstanding.has(place);
  }

  /**
   * Removes receipted records, so that they are not sent again. Both bounds are included. What a receipt names and did not
   * delete still waits: it may be a receipt of another history.
   */
  markReceipted(epoch: number, from: number, to: number): void {
    this.hasReceipt = true;
    const largest = this.outstanding.markReceipted(epoch, from, to, (place) => !this.outbox.has(place));
    if (largest > 0) this.limit.noteReceipted(largest, this.nowMs);
    this.oversize.releaseRange(epoch, from, to);
  }

  get waitingForReceipt(): number {
    return this.outstanding.size;
  }

  /**
   * The oldest accept without a receipt leaves before everything else of its epoch, whether it is live or backlog. Records
   * of later epochs wait for its receipt: the cloud takes epochs in their order, and refuses one that comes late. So does the
   * key record that a live record needs.
   */
  private nextFirst(): Parcel | null {
    const place = this.peekAccept() ?? this.peekKey();
    const drain = place === null ? null : spendLive(this.drain);
    const record = place === null || drain === null ? null : this.outbox.find(place);
    if (record === null || drain === null || this.isHeld(record)) return null;
    this.drain = drain;
    this.outstanding.markSending(record, true, rawBytes(record));
    return this.parcel([record], true);
  }

  /** A record that is too large for the broker leaves without its pictures, as soon as a live one would. */
  private nextBare(): Parcel | null {
    const record = this.takeHeld(() => this.peekBare(), spendLive);
    if (record === null) return null;
    this.outstanding.markSending(record, true, 0);
    return { ...this.message([{ ...record, media: record.media.map(() => null) }], true), isBare: true };
  }

  /** Of those that were too large: one that fits now. The limit has grown, may be tried again, or the picture is gone. */
  private nextHeld(): Parcel | null {
    const record = this.takeHeld(() => this.peekHeld(), spendBacklog);
    if (record === null) return null;
    this.outstanding.markSending(record, false, rawBytes(record));
    return this.parcel([record], false);
  }

  private takeHeld(
    peek: () => HeldRecord | null,
    spend: (drain: DrainState) => DrainState | null,
  ): QueuedRecord | null {
    for (let held = peek(); held !== null; held = peek()) {
      const drain = spend(this.drain);
      if (drain === null) return null;
      const record = this.outbox.find(held);
      if (record !== null) {
        this.drain = drain;
        return record;
      }
      this.oversize.release(held);
    }
    return null;
  }

  private nextLive(): Parcel | null {
    const records: QueuedRecord[] = [];
    let size = ENVELOPE_BYTES;
    while (records.length < LIMITS.messageRecordsMax) {
      const place = this.peekLive();
      const drain = place === null ? null : spendLive(this.drain);
      if (place === null || drain === null) break;
      const record = this.outbox.find(place);
      // Damaged on the disk, and removed by the read; the next one may be whole.
      if (record === null) continue;
      if (this.isHeld(record)) {
        this.liveCursor = place;
        continue;
      }
      size += sizeOf(record);
      if (records.length > 0 && size > this.limit.maxBytes(this.nowMs)) break;
      this.drain = record.isClip ? (spendClip(this.drain) ?? drain) : drain;
      this.liveCursor = place;
      records.push(record);
      this.outstanding.markSending(record, true, rawBytes(record));
    }
    return this.parcel(records, true);
  }

  private nextRepeat(): Parcel | null {
    const { nowMs } = this;
    for (let entry = this.outstanding.due(nowMs); entry !== null; entry = this.outstanding.due(nowMs)) {
      const record = this.outbox.find(entry.place);
      if (record !== null) this.suspectSilence(entry, record);
      if (record === null || this.isHeld(record)) {
        this.outstanding.forget(entry.place);
        continue;
      }
      const again = this.acceptAgain(entry);
      if (again !== null) return again;
      this.outstanding.markSending(record, entry.isLive, rawBytes(record));
      return this.parcel([record], false);
    }
    return null;
  }

  /**
   * A cloud that was restored from a back-up may not know the epoch, and answers nothing. Once a connection, where a record was
   * sent several times and no receipt came at all, claim and accept are handed in again.
   */
  private acceptAgain({ attempts, place }: Waiting): Parcel | null {
    if (this.isHandedIn || this.hasReceipt || attempts < SILENT_ATTEMPTS_MIN) return null;
    const accept = this.outbox.receiptedAccept();
    const claim = accept === null ? null : this.outbox.claimOf(accept.epoch);
    if (accept === null || claim === null || accept.epoch !== place.epoch) return null;
    this.isHandedIn = true;
    const payload = encodeUp({ type: 'accept', claim: claim.bytes, record: accept.bytes });
    return { records: [], payload, isLive: false, isBare: false };
  }

  /** MQTT 3.1.1 has no code for a message that is too large: Mosquitto acknowledges it and drops it. */
  private suspectSilence({ attempts, bytes, sentAtMs }: Waiting, record: QueuedRecord): void {
    const { limit, nowMs } = this;
    if (attempts < SILENT_ATTEMPTS_MIN || record.seq === 0 || record.media.length === 0) return;
    if (record.media.includes(null) || !limit.isTelling(bytes, sentAtMs)) return;
    limit.noteRefused(this.messageBytes(record), 'silence', nowMs);
  }

  private nextBacklog(): Parcel | null {
    for (let place = this.peekBacklog(); place !== null; place = this.peekBacklog()) {
      const drain = spendBacklog(this.drain);
      if (drain === null) return null;
      this.backlogCursor = place;
      const record = this.outbox.find(place);
      if (record === null || this.outstanding.has(place) || this.isHeld(record)) continue;
      this.drain = drain;
      this.outstanding.markSending(record, false, rawBytes(record));
      return this.parcel([record], false);
    }
    return null;
  }

  private peekAccept(): Place | null {
    const accept = this.outbox.oldestAccept();
    if (accept === null || this.outstanding.has(accept) || !this.outstanding.hasRoom('live')) return null;
    const held = this.oversize.find(accept);
    return held === null || held.wholeBytes <= this.limit.maxBytes(this.nowMs) ? accept : null;
  }

  /** The key record of what is live, where it waits in the backlog: until it is there nobody can open what is live. */
  private peekKey(): Place | null {
    const key = this.peekLive() === null ? null : this.outbox.newestKey();
    if (key === null || !this.isBacklog(key) || this.outstanding.has(key)) return null;
    return this.oversize.find(key) === null ? key : null;
  }

  private peekBare(): HeldRecord | null {
    if (this.oversize.size === 0 || !this.outstanding.hasRoom('live')) return null;
    const found = this.oversize.nextBare(this.limit.maxBytes(this.nowMs), (place) => this.outstanding.has(place));
    return found !== null && this.mayLeave(found) ? found : null;
  }

  private peekHeld(): HeldRecord | null {
    if (this.oversize.size === 0 || !this.outstanding.hasRoom('backlog')) return null;
    this.oversize.notePicturesFrom(this.outbox.oldestPicture());
    const found = this.oversize.nextWhole(this.limit.maxBytes(this.nowMs), (place) => this.outstanding.has(place));
    return found !== null && found.seq > 0 && this.mayLeave(found) ? found : null;
  }

  private peekLive(): Place | null {
    return this.outstanding.hasRoom('live') ? this.peek(this.liveCursor) : null;
  }

  private peekBacklog(): Place | null {
    const place = this.outstanding.hasRoom('backlog') ? this.peek(this.backlogCursor) : null;
    return place !== null && this.isBacklog(place) ? place : null;
  }

  private isBacklog(place: Place): boolean {
    const { epoch, seq } = this.boundary;
    return place.epoch < epoch || (place.epoch === epoch && place.seq <= seq);
  }

  /** Returns the place after this one, or null if an accept must leave first. */
  private peek(after: Place): Place | null {
    const place = this.outbox.placeAfter(after);
    return place !== null && this.mayLeave(place) ? place : null;
  }

  private mayLeave(place: Place): boolean {
    const accept = this.outbox.oldestAccept();
    if (accept === null || place.epoch < accept.epoch) return true;
    return place.epoch === accept.epoch && this.outstanding.has(accept);
  }

  /** Whether a record is too large for the broker, alone in its message. Then it is held, until it fits. */
  private isHeld(record: QueuedRecord): boolean {
    const maxBytes = this.limit.maxBytes(this.nowMs);
    // Only near the limit the exact size is worth making the message.
    const isFarBelow = record.seq !== 0 && sizeOf(record) + ENVELOPE_BYTES <= maxBytes;
    const wholeBytes = isFarBelow ? 0 : this.messageBytes(record);
    if (wholeBytes <= maxBytes) {
      this.oversize.release(record);
      return false;
    }
    const bare = { ...record, media: record.media.map(() => null) };
    const bareBytes = this.messageBytes(bare);
    this.oversize.hold({ epoch: record.epoch, seq: record.seq, wholeBytes, bareBytes, sinceMs: this.nowMs });
    return true;
  }

  private messageBytes(record: QueuedRecord): number {
    return this.message([record], true).payload.length;
  }

  private parcel(records: readonly QueuedRecord[], isLive: boolean): Parcel | null {
    const [first] = records;
    if (first === undefined) return null;
    const parcel = this.message(records, isLive);
    if (records.length === 1) this.outstanding.setBytes(first, parcel.payload.length);
    return parcel;
  }

  private message(records: readonly QueuedRecord[], isLive: boolean): Parcel {
    const [first] = records;
    if (first?.seq !== 0) {
      const sent = records.map(({ bytes, media }) => ({ record: bytes, media }));
      return { records, payload: encodeUp({ type: 'records', records: sent }), isLive, isBare: false };
    }
    const claim = this.outbox.claimOf(first.epoch);
    if (claim === null) throw new SealcamError('internal', 'an accept without its claim');
    const payload = encodeUp({ type: 'accept', claim: claim.bytes, record: first.bytes });
    return { records, payload, isLive, isBare: false };
  }
}

/** At least what a record takes in a message. */
function rawBytes({ bytes, media }: QueuedRecord): number {
  return media.reduce((sum, item) => sum + (item === null ? 0 : item.header.length + item.body.length), bytes.length);
}

/** At most what it takes, beside the envelope. */
function sizeOf(record: QueuedRecord): number {
  return rawBytes(record) + (1 + record.media.length) * ITEM_BYTES;
}
