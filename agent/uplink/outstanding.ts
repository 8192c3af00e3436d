import type { Place } from '../outbox/outbox.js';
import { placeKey } from '../../protocol/objects/ids.js';

export interface Waiting {
  readonly place: Place;
  readonly isLive: boolean;
  /** At least what it takes in a message; exactly, if it was sent alone. 0 without its pictures. */
  bytes: number;
  sentAtMs: number;
  attempts: number;
  /** When it is sent again if no receipt has come; Infinity while it is on its way to the broker. */
  dueMs: number;
}

const RESEND_MIN_MS = 60_000;
const RESEND_MAX_MS = 15 * 60_000;
const JITTER_SHARE = 0.25;

/**
 * Records that were published and have no receipt yet. A broker's acknowledgement proves nothing; only a receipt removes
 * a record. Bounded: while it is full, the backlog waits; live records have places of their own.
 */
export class Outstanding {
  private readonly waiting = new Map<string, Waiting>();
  private readonly maxLive: number;
  private readonly maxBacklog: number;
  private liveCount = 0;

  constructor(maxLive: number, maxBacklog: number) {
    this.maxLive = maxLive;
    this.maxBacklog = maxBacklog;
  }

  /** Returns whether another record of this kind may be sent. */
  hasRoom(kind: 'live' | 'backlog'): boolean {
    const backlog = this.waiting.size - this.liveCount;
    return kind === 'live' ? this.liveCount < this.maxLive : backlog < this.maxBacklog;
  }

  /** Notes that a record is being published, for the first time or again. */
  markSending(place: Place, isLive: boolean, bytes: number): void {
    const key = placeKey(place);
    const known = this.waiting.get(key);
    if (known !== undefined) {
      known.attempts++;
      known.bytes = bytes;
      known.dueMs = Infinity;
      return;
    }
    this.waiting.set(key, { place, isLive, bytes, attempts: 1, sentAtMs: Infinity, dueMs: Infinity });
    if (isLive) this.liveCount++;
  }

  setBytes(place: Place, bytes: number): void {
    const entry = this.waiting.get(placeKey(place));
    if (entry !== undefined) entry.bytes = bytes;
  }

  /** Notes that the broker has a record. It is due again after max(60 s, W/4) with jitter, doubling up to 15 min. */
  markSent(place: Place, nowMs: number, windowMs: number, uniform: number): void {
    const entry = this.waiting.get(placeKey(place));
    if (entry === undefined) return;
    entry.sentAtMs = nowMs;
    const baseMs = Math.max(RESEND_MIN_MS, windowMs / 4) * 2 ** (entry.attempts - 1);
    const boundedMs = Math.min(RESEND_MAX_MS / (1 + JITTER_SHARE), baseMs);
    entry.dueMs = nowMs + boundedMs * (1 - JITTER_SHARE + 2 * JITTER_SHARE * uniform);
  }

  /** A record that the broker did not take may be sent again now. */
  markDue(place: Place, nowMs: number): void {
    const entry = this.waiting.get(placeKey(place));
    if (entry !== undefined) entry.dueMs = nowMs;
  }

  /** Removes the records of an epoch from `from` to `to`, both included, that are gone. Returns the bytes of the largest. */
  markReceipted(epoch: number, from: number, to: number, isGone: (place: Place) => boolean = () => true): number {
    let largest = 0;
    for (const [key, { place, isLive, bytes }] of this.waiting) {
      if (place.epoch !== epoch || place.seq < from || place.seq > to || !isGone(place)) continue;
      this.waiting.delete(key);
      if (isLive) this.liveCount--;
      largest = Math.max(largest, bytes);
    }
    return largest;
  }

  forget(place: Place): void {
    this.markReceipted(place.epoch, place.seq, place.seq);
  }

  /** Returns the first record that is due to be sent again. */
  due(nowMs: number): Waiting | null {
    for (const entry of this.waiting.values()) if (entry.dueMs <= nowMs) return entry;
    return null;
  }

  /** Returns when the next record is due; Infinity if none is. */
  nextDueMs(): number {
    let nextMs = Infinity;
    for (const { dueMs } of this.waiting.values()) nextMs = Math.min(nextMs, dueMs);
    return nextMs;
  }

  has(place: Place): boolean {
    return this.waiting.has(placeKey(place));
  }

  get size(): number {
    return this.waiting.size;
  }
}
