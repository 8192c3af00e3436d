import type { Place } from '../outbox/outbox.js';
import { placeKey } from '../../protocol/objects/ids.js';

interface Waiting {
  readonly place: Place;
  readonly isLive: boolean;
  attempts: number;
  /** When it is sent again if no receipt has come; Infinity while it is on its way to the broker. */
  dueMs: number;
}

const RESEND_MIN_MS = 60_000;
const RESEND_MAX_MS = 15 * 60_000;
const JITTER = 0.25;

/**
 * Published and not receipted yet. A broker's acknowledgement proves nothing; only a receipt takes a record out.
 * Bounded: while it is full, the backlog waits, and live records have places of their own.
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

  hasRoom(kind: 'live' | 'backlog'): boolean {
    const backlog = this.waiting.size - this.liveCount;
    return kind === 'live' ? this.liveCount < this.maxLive : backlog < this.maxBacklog;
  }

  sending(place: Place, isLive: boolean): void {
    const key = placeKey(place);
    const known = this.waiting.get(key);
    if (known !== undefined) {
      known.attempts++;
      known.dueMs = Infinity;
      return;
    }
    this.waiting.set(key, { place, isLive, attempts: 1, dueMs: Infinity });
    if (isLive) this.liveCount++;
  }

  /** The broker has it; now the receipt is waited for: max(60 s, W/4), jittered, doubling to 15 min. */
  sent(place: Place, nowMs: number, windowMs: number, uniform: number): void {
    const entry = this.waiting.get(placeKey(place));
    if (entry === undefined) return;
    const base = Math.max(RESEND_MIN_MS, windowMs / 4) * 2 ** (entry.attempts - 1);
    const bounded = Math.min(RESEND_MAX_MS / (1 + JITTER), base);
    entry.dueMs = nowMs + bounded * (1 - JITTER + 2 * JITTER * uniform);
  }

  /** Everything in the ranges of an epoch is settled. */
  markReceipted(epoch: number, from: number, to: number): void {
    for (const [key, { place, isLive }] of this.waiting) {
      if (place.epoch !== epoch || place.seq < from || place.seq > to) continue;
      this.waiting.delete(key);
      if (isLive) this.liveCount--;
    }
  }

  forget(place: Place): void {
    this.markReceipted(place.epoch, place.seq, place.seq);
  }

  /** The first record that is due to be sent again. */
  due(nowMs: number): Waiting | null {
    for (const entry of this.waiting.values()) if (entry.dueMs <= nowMs) return entry;
    return null;
  }

  nextDueMs(): number {
    let next = Infinity;
    for (const { dueMs } of this.waiting.values()) next = Math.min(next, dueMs);
    return next;
  }

  has(place: Place): boolean {
    return this.waiting.has(placeKey(place));
  }

  get size(): number {
    return this.waiting.size;
  }

  clear(): void {
    this.waiting.clear();
    this.liveCount = 0;
  }
}
