import { toHex } from '../../common/bytes.js';
import type { RecordCommand, SealcamRecord } from '../../protocol/objects/record.js';
import { epochKey } from '../../protocol/objects/ids.js';

const ANSWERS_MAX = 200;

/** Cameras' answers to orders, taken from records that this page verified. */
export class Answers {
  /** By hex of the order's hash. */
  private readonly byOrder = new Map<string, RecordCommand>();
  /** By device/epoch. */
  private readonly counters = new Map<string, number>();
  private readonly listeners = new Set<() => void>();

  /** Keeps the answer that a record carries, if any. */
  addAnswer({ device, epoch, command }: SealcamRecord): void {
    if (command?.source !== 'owner') return;
    const key = epochKey(device, epoch);
    this.counters.set(key, Math.max(this.counters.get(key) ?? 0, command.counter ?? 0));
    if (command.object === undefined) return;
    this.byOrder.set(toHex(command.object), command);
    if (this.byOrder.size > ANSWERS_MAX) this.byOrder.delete(this.byOrder.keys().next().value ?? '');
    for (const listener of [...this.listeners]) listener();
  }

  /** Returns the highest counter a camera is known to have accepted under a claim, from any of the owner's browsers. */
  counterOf(device: string, epoch: number): number {
    return this.counters.get(epochKey(device, epoch)) ?? 0;
  }

  /** Returns the answer to an order, or null if it has not arrived. */
  answerTo(order: Uint8Array): RecordCommand | null {
    return this.byOrder.get(toHex(order)) ?? null;
  }

  /** Calls `listener` after every new answer. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }
}
