import { toHex } from '../../common/bytes.js';
import type { RecordCommand, SealcamRecord } from '../../protocol/objects/record.js';
import { epochKey } from '../../protocol/objects/ids.js';

const ANSWERS_MAX = 200;

/** What a camera answered to an order, and the seq of the record that says so. */
export interface Answer {
  readonly command: RecordCommand;
  readonly seq: number;
}

/** Cameras' answers to orders, taken from records that this page verified. */
export class Answers {
  /** By hex of the order's hash. */
  private readonly byOrder = new Map<string, Answer>();
  /** By device/epoch. */
  private readonly counters = new Map<string, number>();
  private readonly observers = new Set<(record: SealcamRecord) => void>();

  /** Keeps the answer that a record carries, if any. */
  addAnswer(record: SealcamRecord): void {
    for (const observer of this.observers) observer(record);
    const { device, epoch, seq, command } = record;
    if (command?.source !== 'owner') return;
    const key = epochKey(device, epoch);
    this.counters.set(key, Math.max(this.counters.get(key) ?? 0, command.counter ?? 0));
    if (command.object === undefined) return;
    this.byOrder.set(toHex(command.object), { command, seq });
    if (this.byOrder.size > ANSWERS_MAX) this.byOrder.delete(this.byOrder.keys().next().value ?? '');
  }

  /** Returns the highest counter a camera is known to have accepted under a claim, from any of the owner's browsers. */
  counterOf(device: string, epoch: number): number {
    return this.counters.get(epochKey(device, epoch)) ?? 0;
  }

  /** Returns the answer to an order, or null if it has not arrived. */
  answerTo(order: Uint8Array): Answer | null {
    return this.byOrder.get(toHex(order)) ?? null;
  }

  /** Calls `observer` with every verified record from now on. */
  observe(observer: (record: SealcamRecord) => void): void {
    this.observers.add(observer);
  }
}
