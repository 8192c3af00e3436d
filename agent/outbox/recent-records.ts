import { equal } from '../../common/bytes.js';

interface Recent {
  readonly hash: Uint8Array;
  readonly madeAtMs: number;
}

/** More than half an hour of a busy camera. What falls out is as if it were old. */
const KEPT_MAX = 4096;

/**
 * When which record was made, on the monotonic clock of this run of the program. In memory on purpose: after a restart
 * nothing is known to be recent.
 */
export class RecentRecords {
  private readonly records = new Map<string, Recent>();

  add(epoch: number, seq: number, hash: Uint8Array, madeAtMs: number): void {
    const key = keyOf(epoch, seq);
    this.records.delete(key);
    this.records.set(key, { hash, madeAtMs });
    if (this.records.size > KEPT_MAX) this.records.delete(this.records.keys().next().value ?? key);
  }

  /** Milliseconds since that very record was made; null if it is not known here. */
  ageMs(epoch: number, seq: number, hash: Uint8Array, nowMs: number): number | null {
    const found = this.records.get(keyOf(epoch, seq));
    return found === undefined || !equal(found.hash, hash) ? null : nowMs - found.madeAtMs;
  }
}

function keyOf(epoch: number, seq: number): string {
  return `${String(epoch)}/${String(seq)}`;
}
