import { toHex } from '../../common/bytes.js';
import { epochKey } from '../../protocol/objects/ids.js';
import type { GapCause } from '../../protocol/verify/history.js';
import type { HistoryKeeper, VerifiedRecord } from './history-keeper.js';
import { signedMs } from './plausible-time.js';

/**
 * Why there is no record at a place of a camera's history. `lost`, `deleted` and `expired` are signed: by the camera, the
 * owner, and the cloud. `missing` and `late` are alarms: nobody signed for the hole, and what could still fill it should
 * have come. `waiting`: it may still arrive. `refused`: the cloud sent something there that must not be shown.
 */
export type MarkKind = 'lost' | 'deleted' | 'expired' | 'missing' | 'late' | 'waiting' | 'refused';

/** A place in a camera's history without a record that may be shown. The page shows each. */
export interface HistoryMark {
  readonly key: string;
  /** Hex of the device id. */
  readonly device: string;
  readonly epoch: number;
  readonly kind: MarkKind;
  /** First and last seq that are missing; null for a refusal beside an unbroken history. */
  readonly seqs: readonly [number, number] | null;
  /** UTC by which it is sorted among the events: that of the record after it. */
  readonly atMs: number;
  /** UTC at which the owner or the cloud signed that the records are gone; null where nobody did. */
  readonly signedAtMs: number | null;
}

/** What the page knows of an epoch besides its records. */
type Facts = Pick<HistoryKeeper, 'explain' | 'drainedUpTo'>;

/** What was asked of the cloud: outside of it, records are missing because nobody asked. */
interface Asked {
  /** Everything from here on was loaded page by page. */
  readonly fromSeq: number;
  /** The highest seq of the newest page. Live records above it arrive in any order. */
  readonly upToSeq: number;
  /** This device's wall clock, UTC. */
  readonly nowMs: number;
}

interface Entry {
  readonly seq: number;
  readonly atMs: number;
  readonly hasPrevious: boolean;
}

interface Refused {
  /** The verified record above it on the page that the cloud sent; null for the newest place. */
  readonly belowSeq: number | null;
  readonly atMs: number;
}

/** An earlier record may arrive this much later than the one after it, by the camera's clock and the page's. */
export const LATE_AFTER_MS = 86_400_000;
const REFUSED_MAX = 200;
const KINDS = { camera: 'lost', owner: 'deleted', retention: 'expired' } as const satisfies Record<GapCause, MarkKind>;

/** All verified records of one camera and epoch that were loaded here, of whatever kind, and what is missing among them. */
export class CameraLog {
  private readonly device: Uint8Array;
  private readonly epoch: number;
  /** Ascending by seq. */
  private readonly entries: Entry[] = [];
  private readonly refused: Refused[] = [];

  constructor(device: Uint8Array, epoch: number) {
    this.device = device;
    this.epoch = epoch;
  }

  /** Adds a record, in any order. */
  add({ record, receivedAtMs }: VerifiedRecord): void {
    const { seq, prev } = record.value;
    const at = this.placeOf(seq);
    if (this.entries[at]?.seq === seq) return;
    this.entries.splice(at, 0, { seq, atMs: signedMs(record.value, receivedAtMs), hasPrevious: prev !== null });
  }

  /** Notes that the cloud sent something at this place that must not be shown. */
  addRefused(belowSeq: number | null, atMs: number): void {
    if (this.refused.some((known) => known.belowSeq === belowSeq)) return;
    this.refused.push({ belowSeq, atMs });
    if (this.refused.length > REFUSED_MAX) this.refused.shift();
  }

  has(seq: number): boolean {
    return this.entries[this.placeOf(seq)]?.seq === seq;
  }

  /** Returns the highest seq; null without a record. */
  highest(): number | null {
    return this.entries.at(-1)?.seq ?? null;
  }

  /** Returns the latest time of the records below this seq, UTC; null without one. */
  latestBelow(seq: number): number | null {
    const below = this.entries.slice(0, this.placeOf(seq));
    return below.length === 0 ? null : Math.max(...below.map(({ atMs }) => atMs));
  }

  /** Returns the highest seq up to which no record is missing after `seq`, which is here itself. */
  unbrokenFrom(seq: number): number {
    let at = this.placeOf(seq);
    while (this.entries[at + 1]?.seq === (this.entries[at]?.seq ?? NaN) + 1) at++;
    return this.entries[at]?.seq ?? seq;
  }

  /** Returns every place without a record, oldest first. */
  marks(facts: Facts, asked: Asked): HistoryMark[] {
    const marks: HistoryMark[] = [];
    const loaded = this.entries.slice(this.placeOf(asked.fromSeq));
    let next = asked.fromSeq;
    for (const entry of loaded) {
      if (entry.seq > next) {
        const seqs = [next, entry.seq - 1] as const;
        const explained = facts.explain(this.device, this.epoch, ...seqs);
        const kind = explained === null ? this.kindOf(facts, seqs, entry, asked) : KINDS[explained.cause];
        marks.push({ ...this.mark(kind, seqs, entry.atMs), signedAtMs: explained?.signedAtMs ?? null });
      }
      next = entry.seq + 1;
    }
    const isIn = ({ belowSeq }: Refused, { seqs }: HistoryMark): boolean =>
      seqs !== null && belowSeq !== null && belowSeq > seqs[0] && belowSeq <= seqs[1] + 1;
    for (const refusal of this.refused) {
      if (!marks.some((mark) => isIn(refusal, mark))) marks.push(this.mark('refused', null, refusal.atMs));
    }
    return marks;
  }

  private kindOf(facts: Facts, [from, to]: readonly [number, number], above: Entry, asked: Asked): MarkKind {
    // A record that names none before it says so itself.
    if (!above.hasPrevious) return 'lost';
    if (this.refused.some(({ belowSeq }) => belowSeq !== null && belowSeq > from && belowSeq <= to + 1))
      return 'refused';
    if (to > asked.upToSeq) return 'waiting';
    if (above.seq <= facts.drainedUpTo(this.device, this.epoch)) return 'missing';
    const newestMs = Math.max(asked.nowMs, this.entries.at(-1)?.atMs ?? asked.nowMs);
    return newestMs - above.atMs > LATE_AFTER_MS ? 'late' : 'waiting';
  }

  private mark(kind: MarkKind, seqs: HistoryMark['seqs'], atMs: number): HistoryMark {
    const device = toHex(this.device);
    const place = seqs === null ? `at ${String(atMs)}` : String(seqs[0]);
    const key = `${epochKey(device, this.epoch)}/${kind}/${place}`;
    return { key, device, epoch: this.epoch, kind, seqs, atMs, signedAtMs: null };
  }

  /** Returns the index of the first entry whose seq is not below this one. */
  private placeOf(seq: number): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.entries[middle]?.seq ?? Infinity) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
