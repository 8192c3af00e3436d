import { equal } from '../../common/bytes.js';
import { LIMITS } from '../../common/limits.js';
import { placeKey } from '../../protocol/objects/ids.js';

interface RecentRecord {
  readonly hash: Uint8Array;
  readonly madeAtMs: number;
}

/** Of a busy camera. A record that falls out counts as old. */
const RECORDS_MAX = 4096;

/**
 * When each record was made, on the monotonic clock of this run of the program. Kept in memory on purpose: after a restart
 * no record counts as recent; and none longer than an order may be old, as each is one more object in a camera's heap.
 */
export class RecentRecords {
  private readonly records = new Map<string, RecentRecord>();

  add(epoch: number, seq: number, hash: Uint8Array, madeAtMs: number): void {
    const key = placeKey({ epoch, seq });
    this.records.delete(key);
    this.records.set(key, { hash, madeAtMs });
    for (const [oldest, { madeAtMs: atMs }] of this.records) {
      if (this.records.size <= RECORDS_MAX && madeAtMs - atMs <= LIMITS.commandMaxAgeMs) break;
      this.records.delete(oldest);
    }
  }

  /** Records that are remembered. */
  get size(): number {
    return this.records.size;
  }

  /** Returns the milliseconds since the record with this hash was made, null if it is not known here, or not any more. */
  ageMs(epoch: number, seq: number, hash: Uint8Array, nowMs: number): number | null {
    const found = this.records.get(placeKey({ epoch, seq }));
    return found === undefined || !equal(found.hash, hash) ? null : nowMs - found.madeAtMs;
  }
}
