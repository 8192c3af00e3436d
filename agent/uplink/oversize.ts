import type { Place } from '../outbox/outbox.js';
import { placeKey } from '../../protocol/objects/ids.js';

export interface HeldRecord extends Place {
  /** Size of the message with this record alone: whole, and without its pictures. */
  readonly wholeBytes: number;
  readonly bareBytes: number;
  readonly sinceMs: number;
}

interface Entry extends HeldRecord {
  wholeBytes: number;
  /** The broker has the record without its pictures. */
  isBareSent: boolean;
}

/** More than an outbox of the usual size holds; a record beyond it is sent once there is room. */
const HELD_MAX = 4096;

/**
 * Records whose message is larger than the broker takes. They stay in the outbox: a limit that nobody signed deletes
 * nothing at once. The record goes without its pictures; the pictures wait for a larger limit, until the time is over.
 * Kept for the process, beyond a connection.
 */
export class Oversize {
  private readonly holdMs: number;
  private readonly onHeld: (record: HeldRecord) => void;
  private readonly held = new Map<string, Entry>();

  constructor(holdMs: number, onHeld: (record: HeldRecord) => void = () => undefined) {
    this.holdMs = holdMs;
    this.onHeld = onHeld;
  }

  get size(): number {
    return this.held.size;
  }

  hold(record: HeldRecord): void {
    const key = placeKey(record);
    if (this.held.has(key) || this.held.size >= HELD_MAX) return;
    this.held.set(key, { ...record, isBareSent: false });
    this.onHeld(record);
  }

  find(place: Place): HeldRecord | null {
    return this.held.get(placeKey(place)) ?? null;
  }

  /** Removes a record that was sent whole, receipted, or given up. */
  release(place: Place): void {
    this.held.delete(placeKey(place));
  }

  releaseRange(epoch: number, from: number, to: number): void {
    for (const [key, entry] of this.held) {
      if (entry.epoch === epoch && entry.seq >= from && entry.seq <= to) this.held.delete(key);
    }
  }

  markBareSent(place: Place): void {
    const entry = this.held.get(placeKey(place));
    if (entry !== undefined) entry.isBareSent = true;
  }

  /**
   * Notes that no record before this place has a picture in the outbox any more; null: none has. What had one needs it no
   * longer to be whole: a full outbox dropped it, and a signed loss names it.
   */
  notePicturesFrom(oldest: Place | null): void {
    for (const entry of this.held.values()) if (isBefore(entry, oldest)) entry.wholeBytes = entry.bareBytes;
  }

  /** Returns the first record that the broker does not have yet and that fits without its pictures. */
  nextBare(maxBytes: number, isAway: (place: Place) => boolean): HeldRecord | null {
    for (const entry of this.held.values()) {
      if (!entry.isBareSent && entry.bareBytes < entry.wholeBytes && entry.bareBytes <= maxBytes && !isAway(entry)) {
        return entry;
      }
    }
    return null;
  }

  /** Returns the first record that fits whole. */
  nextWhole(maxBytes: number, isAway: (place: Place) => boolean): HeldRecord | null {
    for (const entry of this.held.values()) if (entry.wholeBytes <= maxBytes && !isAway(entry)) return entry;
    return null;
  }

  /**
   * Returns a record that was held for as long as is allowed and does not fit whole. An accept is never one: without it
   * nothing of its epoch counts.
   */
  nextExpired(nowMs: number, maxBytes: number): HeldRecord | null {
    for (const entry of this.held.values()) {
      const isOver = nowMs >= entry.sinceMs + this.holdMs;
      if (isOver && entry.seq > 0 && entry.wholeBytes > maxBytes) return entry;
    }
    return null;
  }

  /** Returns when the next record expires; Infinity if none is held. */
  get nextExpiryMs(): number {
    for (const entry of this.held.values()) if (entry.seq > 0) return entry.sinceMs + this.holdMs;
    return Infinity;
  }
}

function isBefore({ epoch, seq }: Place, place: Place | null): boolean {
  return place === null || epoch < place.epoch || (epoch === place.epoch && seq < place.seq);
}
