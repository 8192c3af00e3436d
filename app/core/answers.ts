import { toHex } from '../../common/bytes.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import { epochKey } from '../../protocol/objects/ids.js';

const ANSWERS_MAX = 200;

/** What a camera answered to an order, and the seq of the record that says so. */
export interface Answer {
  readonly command: NonNullable<AnyRecord['command']>;
  readonly seq: number;
}

/** Cameras' answers to orders, taken from records that this page verified. */
export class Answers {
  /** By hex of the order's hash. */
  private readonly byOrder = new Map<string, Answer>();
  /** By device/epoch, and in version 2 by signer too. */
  private readonly counters = new Map<string, number>();
  private readonly observers = new Set<(record: AnyRecord) => void>();

  /** Keeps the answer that a record carries, if any. */
  addAnswer(record: AnyRecord): void {
    for (const observer of this.observers) observer(record);
    const { device, epoch, seq, command } = record;
    if (command?.source !== 'owner') return;
    // In version 2 each signer counts for itself, and the answer names whose counter it is.
    const key = counterKey(epochKey(device, epoch), record.version === 2 ? (command.signer ?? null) : null);
    this.counters.set(key, Math.max(this.counters.get(key) ?? 0, command.counter ?? 0));
    if (command.object === undefined) return;
    this.byOrder.set(toHex(command.object), { command, seq });
    if (this.byOrder.size > ANSWERS_MAX) this.byOrder.delete(this.byOrder.keys().next().value ?? '');
  }

  /**
   * Returns the highest counter a camera is known to have accepted under a claim: in version 1 (`signer` is null) from any of
   * the owner's browsers, in version 2 from this signer.
   */
  counterOf(device: string, epoch: number, signer: Uint8Array | null): number {
    return this.counters.get(counterKey(epochKey(device, epoch), signer)) ?? 0;
  }

  /** Returns the answer to an order, or null if it has not arrived. */
  answerTo(order: Uint8Array): Answer | null {
    return this.byOrder.get(toHex(order)) ?? null;
  }

  /** Calls `observer` with every verified record from now on. */
  observe(observer: (record: AnyRecord) => void): void {
    this.observers.add(observer);
  }
}

function counterKey(epoch: string, signer: Uint8Array | null): string {
  return signer === null ? epoch : `${epoch}/${toHex(signer)}`;
}
