import { equal, toHex } from '../../common/bytes.js';
import { Lru } from '../../common/lru.js';
import type { RecordTime } from '../../protocol/objects/record.js';

/** An event that took longer to arrive wakes nobody. */
export const FRESH_MAX_MS = 5 * 60_000;
/** A camera whose clock nobody set tells how late it is only by what arrives sooner. */
const SETTLED_AFTER_MS = 60_000;
const SETTLED_TOLERANCE_MS = 1000;
const CAMERAS_MAX = 50_000;

interface Pace {
  readonly boot: Uint8Array;
  /** Least difference so far between the time of arrival and the camera's monotonic time. */
  readonly leastMs: number;
  /** When it last became clearly less: while a backlog arrives it does so with each record. */
  readonly settledFromMs: number;
}

/**
 * Tells what happens from what arrives late: by the record's own time where the camera's clock is set, else by how its
 * monotonic time runs against the arrival. Where neither tells, it counts as late: nobody is woken by a guess.
 */
export class Freshness {
  private readonly paces = new Lru<string, Pace>(CAMERAS_MAX);

  /**
   * Returns whether the record's event happened within the last minutes. Call it for every record of a camera.
   *
   * @param receivedAtMs wall time of arrival, milliseconds since 1970
   */
  isFresh(device: Uint8Array, time: RecordTime, receivedAtMs: number, monotonicMs: number): boolean {
    const lateMs = this.latenessOf(toHex(device), time, monotonicMs);
    const { wallMs, quality } = time;
    if (wallMs !== null) {
      const ageMs = receivedAtMs - wallMs;
      if (Math.abs(ageMs) <= FRESH_MAX_MS) return true;
      // A clock that the network set is right about the past. One that is ahead, and an RTC, can be wrong by any time.
      if (quality === 'ntp' && ageMs > 0) return false;
    }
    return lateMs !== null && lateMs <= FRESH_MAX_MS;
  }

  /** Returns how much longer this record took than the quickest of its boot; null while that is not known. */
  private latenessOf(name: string, { boot, monotonicMs: recordMs }: RecordTime, nowMs: number): number | null {
    const differenceMs = nowMs - recordMs;
    const known = this.paces.get(name);
    if (known === undefined || !equal(known.boot, boot)) {
      this.paces.set(name, { boot, leastMs: differenceMs, settledFromMs: nowMs });
      return null;
    }
    const isSooner = differenceMs < known.leastMs - SETTLED_TOLERANCE_MS;
    const leastMs = Math.min(known.leastMs, differenceMs);
    const settledFromMs = isSooner ? nowMs : known.settledFromMs;
    this.paces.set(name, { boot, leastMs, settledFromMs });
    return nowMs - settledFromMs < SETTLED_AFTER_MS ? null : differenceMs - leastMs;
  }
}
