import { toHex } from '../../common/bytes.js';
import * as v from '../../common/schema.js';
import type { AnyCommand } from '../../protocol/objects/command.js';
import { epochKey } from '../../protocol/objects/ids.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { AppStorage } from './storage.js';

/** Orders that hold until the next one of their kind, and whose content no record of the camera repeats. */
export type StandingAction = 'zones' | 'sensitivity';

const zone = v.object({
  name: v.string(),
  corners: v.array(v.strictTuple([v.int(), v.int()])),
});
const keptOrder = v.object({
  /** Hex of the device id. */
  device: v.string(),
  epoch: v.int(),
  /** Hex of the hash of the signed order. */
  object: v.string(),
  order: v.variant('action', [
    v.object({ action: v.literal('zones'), zones: v.array(zone) }),
    v.object({ action: v.literal('sensitivity'), sensitivity: v.int() }),
  ]),
  /** The record with which the camera answered that it was done; null before. */
  answer: v.nullable(v.object({ seq: v.int(), wallMs: v.nullable(v.int()) })),
});
type KeptOrder = v.InferOutput<typeof keptOrder>;
export type StandingOrder = KeptOrder['order'];

/** What this page knows of the order that a camera follows. */
export type InForce =
  | {
      readonly type: 'known';
      readonly order: StandingOrder;
      /** UTC by the camera's clock at its answer; null where it had no time. */
      readonly wallMs: number | null;
      /** Whether every record since the answer is here, so that no other browser can have changed it. */
      readonly isCurrent: boolean;
    }
  /** The camera answered an order that another browser of this owner gave; no record holds its content. */
  | { readonly type: 'elsewhere'; readonly wallMs: number | null }
  /** No owner's order was given: the camera's own settings decide. */
  | { readonly type: 'unordered' }
  | { readonly type: 'unknown' };

interface Answered {
  readonly seq: number;
  readonly object: string | null;
  readonly wallMs: number | null;
}

const SETTING = 'standing-orders';
const KEPT_MAX = 64;

/**
 * Knows which order a camera follows: the last one that the camera's own record answers as done. The record names the
 * order's hash only, so this device keeps the content of the orders it gave.
 */
export class StandingOrders {
  private readonly storage: AppStorage;
  private kept: readonly KeptOrder[] = [];
  /** By device/epoch/action, the newest answer among the records seen. */
  private readonly answers = new Map<string, Answered>();
  /** By device/epoch, the seqs seen, as ranges from lowest to highest. */
  private readonly spans = new Map<string, (readonly [number, number])[]>();
  /** By device/epoch, why the ownership ended. */
  private readonly ends = new Map<string, string>();

  constructor(storage: AppStorage) {
    this.storage = storage;
  }

  /** Loads the orders kept on this device. Call it once, before anything else. */
  async load(): Promise<void> {
    const text = await this.storage.setting(SETTING);
    // What another version wrote is not understood, so not known.
    const result = v.safeParse(v.array(keptOrder), text === null ? [] : parsed(text));
    this.kept = result.success ? result.output : [];
  }

  /** Keeps the content of an order before it is sent: the answer may come when this page is closed. */
  async keep({ value, hash }: Verified<AnyCommand>): Promise<void> {
    const { device, epoch, zones, sensitivity } = value;
    const order: StandingOrder | null =
      zones !== undefined
        ? {
            action: 'zones',
            zones: zones.map(({ name, corners }) => ({ name, corners: corners.map(([x, y]) => [x, y]) })),
          }
        : sensitivity !== undefined
          ? { action: 'sensitivity', sensitivity }
          : null;
    if (order === null) return;
    this.kept = [...this.kept, { device: toHex(device), epoch, object: toHex(hash), order, answer: null }];
    await this.save();
  }

  /** Notes a verified record. */
  addRecord({ device, epoch, seq, time, command, tombstone }: AnyRecord): void {
    const key = epochKey(device, epoch);
    this.spans.set(key, withSeq(this.spans.get(key) ?? [], seq));
    if (tombstone !== undefined) this.ends.set(key, tombstone.reason);
    if (command?.source !== 'owner' || command.result !== 'done') return;
    const { action } = command;
    if (action !== 'zones' && action !== 'sensitivity') return;
    const place = `${key}/${action}`;
    if (seq < (this.answers.get(place)?.seq ?? 0)) return;
    const object = command.object === undefined ? null : toHex(command.object);
    this.answers.set(place, { seq, object, wallMs: time.wallMs });
    if (object !== null) this.noteAnswer(object, { seq, wallMs: time.wallMs });
  }

  /**
   * Returns what is known of the order in force.
   *
   * @param device hex of the device id
   */
  inForce(device: string, epoch: number, action: StandingAction): InForce {
    for (let at = epoch; at >= 1; at--) {
      const key = epochKey(device, at);
      const top = this.spans.get(key)?.at(-1) ?? null;
      const answer = this.newestAnswer(device, at, action);
      if (answer !== null) {
        const { wallMs } = answer;
        const kept = this.kept.find(({ object }) => object === answer.object);
        if (kept === undefined) return { type: 'elsewhere', wallMs };
        return { type: 'known', order: kept.order, wallMs, isCurrent: top !== null && top[0] <= answer.seq };
      }
      if (top === null || top[0] > 0) return { type: 'unknown' };
      if (at === 1) break;
      // Orders stay in force when the same owner claims again, and end with a release or a reset.
      const end = this.ends.get(epochKey(device, at - 1));
      if (end === undefined) return { type: 'unknown' };
      if (end !== 'superseded') break;
    }
    return { type: 'unordered' };
  }

  /** An answer that an earlier visit saw counts too: this device verified it. */
  private newestAnswer(device: string, epoch: number, action: StandingAction): Answered | null {
    const seen = this.answers.get(`${epochKey(device, epoch)}/${action}`) ?? null;
    let newest = seen;
    for (const { device: of, epoch: at, order, object, answer } of this.kept) {
      if (of !== device || at !== epoch || order.action !== action || answer === null) continue;
      if (newest === null || answer.seq > newest.seq) newest = { ...answer, object };
    }
    return newest;
  }

  private noteAnswer(object: string, answer: { readonly seq: number; readonly wallMs: number | null }): void {
    const found = this.kept.find((kept) => kept.object === object);
    if (found?.answer !== null) return;
    const isOlder = ({ device, order, epoch, answer: own }: KeptOrder): boolean =>
      device === found.device &&
      order.action === found.order.action &&
      own !== null &&
      (epoch < found.epoch || (epoch === found.epoch && own.seq < answer.seq));
    this.kept = this.kept
      .filter((kept) => !isOlder(kept))
      .map((kept) => (kept.object === object ? { ...kept, answer } : kept));
    // If it is not saved, the page says later that it does not know.
    this.save().catch(() => undefined);
  }

  private async save(): Promise<void> {
    this.kept = this.kept.slice(-KEPT_MAX);
    await this.storage.saveSetting(SETTING, JSON.stringify(this.kept));
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Returns the ranges with one more seq, joined where they touch. */
function withSeq(spans: readonly (readonly [number, number])[], seq: number): (readonly [number, number])[] {
  let [from, to] = [seq, seq];
  const apart: (readonly [number, number])[] = [];
  for (const span of spans) {
    const [first, last] = span;
    if (last < from - 1 || first > to + 1) apart.push(span);
    else [from, to] = [Math.min(from, first), Math.max(to, last)];
  }
  return [...apart, [from, to] as const].sort(([a], [b]) => a - b);
}
