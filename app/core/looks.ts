import { equal, toHex } from '../../common/bytes.js';
import { asSealcamError } from '../../common/errors.js';
import type { Look } from '../../protocol/objects/look.js';
import { epochKey } from '../../protocol/objects/ids.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { VerifiedRecord } from './history-keeper.js';
import { signedMs } from './plausible-time.js';

/** How a look ended, as its camera signed it. */
export type LookEnd = NonNullable<NonNullable<AnyRecord['command']>['lookEnd']>;

/** A look that a camera's own history holds. */
export interface PastLook {
  /** Unique among those of its camera and epoch. */
  readonly key: string;
  /** Seq of the first of its records that is here. */
  readonly seq: number;
  /** UTC of that record, as the page sorts it. */
  readonly atMs: number;
  /** Ed25519 key of the recipient that ordered it; null where the order is not here, or nobody of the household gave it. */
  readonly by: Uint8Array | null;
  /** False where no member ordered it. */
  readonly isOrdered: boolean;
  /** Null while it goes on, and where its end is not here. */
  readonly end: LookEnd | null;
}

/** Receives every record about looks that was verified here, with the order that it answers; null without one. */
export type LookObserver = (record: Verified<AnyRecord>, order: Verified<Look> | null) => void;

interface KnownLook extends PastLook {
  /** By seq of the record, the orders that it answers: one start, and renewals by the same person. */
  readonly orders: ReadonlyMap<number, Verified<Look>>;
}

/** Looks of one camera and epoch that are remembered. */
const LOOKS_MAX = 500;

/** Every look in the cameras' histories: who ordered it, and for how long. Records come in any order, and more than once. */
export class Looks {
  /** By device/epoch, then by key. */
  private readonly looks = new Map<string, Map<string, KnownLook>>();
  private readonly observers = new Set<LookObserver>();

  /** Calls `observer` with every record about looks from now on. Returns the function that ends it. */
  observe(observer: LookObserver): () => void {
    this.observers.add(observer);
    return () => {
      this.observers.delete(observer);
    };
  }

  /** Returns the looks of a camera whose records are here, newest first. @param device hex of the device id */
  of(device: string, epoch: number): readonly PastLook[] {
    return [...(this.looks.get(epochKey(device, epoch))?.values() ?? [])].sort((a, b) => b.seq - a.seq);
  }

  /**
   * Notes a verified record. `orderOf` returns the order that it answers, and throws where no member gave that.
   * @returns what shows that the camera let somebody look without a member's order
   */
  addRecord(
    verified: VerifiedRecord,
    orderOf: (record: Verified<AnyRecord>) => Verified<Look> | null,
  ): readonly string[] {
    const { record } = verified;
    const { command, seq } = record.value;
    if (command?.action !== 'look') return [];
    let order: Verified<Look> | null;
    try {
      order = orderOf(record);
    } catch (error) {
      this.note(verified, `seq ${String(seq)}`, { isOrdered: false });
      return [`record ${String(seq)}: ${asSealcamError(error).message}`];
    }
    const { lookEnd } = command;
    if (lookEnd !== undefined) this.note(verified, toHex(lookEnd.session), { end: lookEnd });
    const faults = order === null ? [] : this.addOrder(verified, order);
    for (const observer of [...this.observers]) observer(record, order);
    return faults;
  }

  private addOrder(verified: VerifiedRecord, order: Verified<Look>): readonly string[] {
    const { seq } = verified.record.value;
    const key = toHex(order.value.session);
    const before = this.note(verified, key, {}).orders;
    const orders = [...before, [seq, order] as const].sort(([a], [b]) => a - b);
    const first = orders.find(([, { value }]) => value.renewal === 0) ?? [seq, order];
    const [firstSeq, { kid: by }] = first;
    this.note(verified, key, { orders: new Map(orders), by });
    return orders.flatMap(([at, { value, kid }]) => {
      if (!equal(kid, by)) return [`record ${String(at)}: a look was renewed by another person than ordered it`];
      const isSecond = value.renewal === 0 && at !== firstSeq;
      return isSecond ? [`record ${String(at)}: an order to look was followed twice`] : [];
    });
  }

  private note({ record, receivedAtMs }: VerifiedRecord, key: string, change: Partial<KnownLook>): KnownLook {
    const { device, epoch, seq } = record.value;
    const place = epochKey(device, epoch);
    const looks = this.looks.get(place) ?? new Map<string, KnownLook>();
    this.looks.set(place, looks);
    const known = looks.get(key) ?? NEW;
    const first = seq < known.seq ? { seq, atMs: signedMs(record.value, receivedAtMs) } : {};
    const next = { ...known, key, ...first, ...change };
    looks.set(key, next);
    if (looks.size > LOOKS_MAX) looks.delete([...looks.values()].reduce((a, b) => (b.seq < a.seq ? b : a)).key);
    return next;
  }
}

const NEW: KnownLook = { key: '', seq: Infinity, atMs: 0, by: null, isOrdered: true, end: null, orders: new Map() };
