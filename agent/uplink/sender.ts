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
  spendLive,
  withCloudInterval,
  type DrainState,
} from './drain.js';
import { Outstanding } from './outstanding.js';

/** One MQTT message, and the records in it. */
export interface Parcel {
  readonly records: readonly QueuedRecord[];
  readonly payload: Uint8Array;
  /** Sent for the first time and immediately; otherwise it is backlog, or a repeat. */
  readonly isLive: boolean;
}

/** Records without a receipt that may be outstanding at one time. */
const LIVE_OUTSTANDING_MAX = 64;
const BACKLOG_OUTSTANDING_MAX = 128;
/** Upper bounds of what CBOR adds to a message, and to each record or media in it. */
const ENVELOPE_BYTES = 512;
const ITEM_BYTES = 16;
const BEFORE_ALL: Place = { epoch: 0, seq: -1 };

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

  constructor(outbox: Outbox, nowMs: number, ownRate: number, cloudIntervalMs: number | null) {
    this.outbox = outbox;
    this.boundary = outbox.newest() ?? BEFORE_ALL;
    this.liveCursor = this.boundary;
    this.drain = startDrain(nowMs, ownRate, cloudIntervalMs);
  }

  /**
   * Returns the next message to publish, or null if nothing may leave now. `liveOnly`: enough backlog and repeats are in
   * flight.
   */
  next(nowMs: number, liveOnly = false): Parcel | null {
    this.drain = refill(this.drain, nowMs);
    const live = this.nextAccept() ?? this.nextLive();
    return live !== null || liveOnly ? live : (this.nextRepeat(nowMs) ?? this.nextBacklog());
  }

  /** Returns when to call {@link next} again if nothing else happens; Infinity if there is nothing to wait for. */
  wakeMs(): number {
    let wake = this.outstanding.nextDueMs();
    if (this.peekAccept() !== null || this.peekLive() !== null) wake = Math.min(wake, nextTokenMs(this.drain, 'live'));
    if (this.peekBacklog() !== null) wake = Math.min(wake, nextTokenMs(this.drain, 'backlog'));
    return wake;
  }

  /** Notes that the broker has the message; its records now wait for their receipts. */
  markAcknowledged(
    parcel: { readonly records: readonly Place[] },
    nowMs: number,
    windowMs: number,
    uniform: number,
  ): void {
    for (const place of parcel.records) this.outstanding.markSent(place, nowMs, windowMs, uniform);
  }

  /** Drains the backlog more slowly, after the broker answered "quota exceeded". */
  slowDown(): void {
    this.drain = slowDown(this.drain);
  }

  setDrainInterval(intervalMs: number): void {
    this.drain = withCloudInterval(this.drain, intervalMs);
  }

  /**
   * Removes receipted records, so that they are not sent again. Both bounds are included. What a receipt names and did not
   * delete still waits: it may be a receipt of another history.
   */
  markReceipted(epoch: number, from: number, to: number): void {
    this.outstanding.markReceipted(epoch, from, to, (place) => !this.outbox.has(place));
  }

  get waitingForReceipt(): number {
    return this.outstanding.size;
  }

  /**
   * The oldest accept without a receipt leaves before everything else of its epoch, whether it is live or backlog. Records
   * of later epochs wait for its receipt: the cloud takes epochs in their order, and refuses one that comes late.
   */
  private nextAccept(): Parcel | null {
    const place = this.peekAccept();
    const drain = place === null ? null : spendLive(this.drain);
    const record = place === null || drain === null ? null : this.outbox.find(place);
    if (record === null || drain === null) return null;
    this.drain = drain;
    this.outstanding.markSending(record, true);
    return this.parcel([record], true);
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
      size += sizeOf(record);
      if (records.length > 0 && size > LIMITS.messageMaxBytes) break;
      this.drain = drain;
      this.liveCursor = place;
      records.push(record);
      this.outstanding.markSending(record, true);
    }
    return this.parcel(records, true);
  }

  private nextRepeat(nowMs: number): Parcel | null {
    for (let entry = this.outstanding.due(nowMs); entry !== null; entry = this.outstanding.due(nowMs)) {
      const record = this.outbox.find(entry.place);
      if (record === null) {
        this.outstanding.forget(entry.place);
        continue;
      }
      this.outstanding.markSending(record, entry.isLive);
      return this.parcel([record], false);
    }
    return null;
  }

  private nextBacklog(): Parcel | null {
    for (let place = this.peekBacklog(); place !== null; place = this.peekBacklog()) {
      const drain = spendBacklog(this.drain);
      if (drain === null) return null;
      this.backlogCursor = place;
      const record = this.outbox.find(place);
      if (record === null) continue;
      this.drain = drain;
      this.outstanding.markSending(record, false);
      return this.parcel([record], false);
    }
    return null;
  }

  private peekAccept(): Place | null {
    const accept = this.outbox.oldestAccept();
    return accept !== null && !this.outstanding.has(accept) && this.outstanding.hasRoom('live') ? accept : null;
  }

  private peekLive(): Place | null {
    return this.outstanding.hasRoom('live') ? this.peek(this.liveCursor) : null;
  }

  private peekBacklog(): Place | null {
    const place = this.outstanding.hasRoom('backlog') ? this.peek(this.backlogCursor) : null;
    if (place === null) return null;
    const { epoch, seq } = this.boundary;
    return place.epoch < epoch || (place.epoch === epoch && place.seq <= seq) ? place : null;
  }

  /** Returns the place after this one, or null if an accept must leave first. */
  private peek(after: Place): Place | null {
    const place = this.outbox.placeAfter(after);
    const accept = place === null ? null : this.outbox.oldestAccept();
    if (place === null || accept === null || place.epoch < accept.epoch) return place;
    return place.epoch === accept.epoch && this.outstanding.has(accept) ? place : null;
  }

  private parcel(records: readonly QueuedRecord[], isLive: boolean): Parcel | null {
    const [first] = records;
    if (first === undefined) return null;
    if (first.seq !== 0) {
      const sent = records.map(({ bytes, media }) => ({ record: bytes, media }));
      return { records, payload: encodeUp({ type: 'records', records: sent }), isLive };
    }
    const claim = this.outbox.claimOf(first.epoch);
    if (claim === null) throw new SealcamError('internal', 'an accept without its claim');
    return { records, payload: encodeUp({ type: 'accept', claim: claim.bytes, record: first.bytes }), isLive };
  }
}

function sizeOf({ bytes, media }: QueuedRecord): number {
  const sealed = media.reduce(
    (sum, item) => sum + (item === null ? 0 : item.header.length + item.body.length + ITEM_BYTES),
    0,
  );
  return bytes.length + sealed + ITEM_BYTES;
}
