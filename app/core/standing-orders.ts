import { toHex } from '../../common/bytes.js';
import * as v from '../../common/schema.js';
import type { AnyCommand } from '../../protocol/objects/command.js';
import { epochKey } from '../../protocol/objects/ids.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { RecordMediaV2 } from '../../protocol/objects/record-fields-v2.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { InForce as Content } from '../../protocol/seal/in-force.js';
import type { AppStorage } from './storage.js';

/** Orders that hold until the next one of their kind. In version 2 the answers say, sealed, what is in force. */
const SETTINGS = ['zones', 'sensitivity', 'masks', 'schedules'] as const;
export type Setting = (typeof SETTINGS)[number];

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

interface Answered {
  readonly seq: number;
  /** Hex of the hash of the order. */
  readonly object: string | null;
  /** UTC by the camera's clock at the answer; null where it had no time. */
  readonly wallMs: number | null;
}

/** An answer that carries what is in force, sealed. */
export interface SealedAnswer {
  readonly record: AnyRecord;
  readonly media: RecordMediaV2;
}

interface Said {
  readonly answer: SealedAnswer;
  /** Null before it was opened, and where it must not be shown. */
  readonly content: Content | null;
}

/** What is known of one setting from the records of one epoch. */
export interface EpochFacts {
  /** The newest answer that an order for it was done. */
  readonly answer: Answered | null;
  /** What was ordered there, where this device gave the order. */
  readonly ordered: KeptOrder['order'] | null;
  /** The newest answer that says what is in force. */
  readonly said: Said | null;
  /** The highest records seen without a hole between them, first and last. */
  readonly top: readonly [number, number] | null;
  /** Why the ownership ended; null where no record says that it did. */
  readonly end: string | null;
}

const SETTING = 'standing-orders';
const KEPT_MAX = 64;

/**
 * Knows which order a camera follows: the last one that the camera's own record answers as done. In version 2 the answer says
 * what is in force, once somebody opened it. In version 1 it names the order's hash only, so this device keeps the content of
 * the orders it gave.
 */
export class StandingOrders {
  private readonly storage: AppStorage;
  private kept: readonly KeptOrder[] = [];
  /** By device/epoch/action, the newest answer among the records seen. */
  private readonly answers = new Map<string, Answered>();
  /** By device/epoch, the newest answer that says what is in force. */
  private readonly said = new Map<string, Said>();
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
    const order: KeptOrder['order'] | null =
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
  addRecord(record: AnyRecord): void {
    const { device, epoch, seq, time, command, tombstone } = record;
    const key = epochKey(device, epoch);
    this.spans.set(key, withSeq(this.spans.get(key) ?? [], seq));
    if (tombstone !== undefined) this.ends.set(key, tombstone.reason);
    if (command?.source !== 'owner' || command.result !== 'done') return;
    const { action } = command;
    if (!SETTINGS.some((known) => known === action)) return;
    this.noteSealed(record);
    const place = `${key}/${action}`;
    if (seq < (this.answers.get(place)?.seq ?? 0)) return;
    const object = command.object === undefined ? null : toHex(command.object);
    this.answers.set(place, { seq, object, wallMs: time.wallMs });
    if (object !== null) this.noteAnswer(object, { seq, wallMs: time.wallMs });
  }

  /** @param device hex of the device id */
  factsOf(device: string, epoch: number, setting: Setting): EpochFacts {
    const key = epochKey(device, epoch);
    const answer = this.newestAnswer(device, epoch, setting);
    return {
      answer,
      ordered: this.kept.find(({ object }) => object === answer?.object)?.order ?? null,
      said: this.said.get(key) ?? null,
      top: this.spans.get(key)?.at(-1) ?? null,
      end: this.ends.get(key) ?? null,
    };
  }

  /** Notes what an answer says, which was opened; null where it must not be shown. Returns whether something else is known now. */
  noteContent({ record: { device, epoch, seq } }: SealedAnswer, content: Content | null): boolean {
    const key = epochKey(device, epoch);
    const said = this.said.get(key);
    // A newer one may have come while it was opened.
    if (said?.answer.record.seq !== seq || said.content === content) return false;
    this.said.set(key, { answer: said.answer, content });
    return true;
  }

  private noteSealed(record: AnyRecord): void {
    const key = epochKey(record.device, record.epoch);
    const [media] = record.media ?? [];
    if (media === undefined || record.seq <= (this.said.get(key)?.answer.record.seq ?? -1)) return;
    this.said.set(key, { answer: { record, media }, content: null });
  }

  /** An answer that an earlier visit saw counts too: this device verified it. */
  private newestAnswer(device: string, epoch: number, action: Setting): Answered | null {
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
