import { toHex } from '../../common/bytes.js';
import type { RecordCommand, SealcamRecord } from '../../protocol/objects/record.js';
import { epochKey } from '../../protocol/objects/ids.js';

const KEPT_MAX = 200;

/** What cameras answered to orders, out of records that this page verified. */
export class Answers {
  private readonly byOrder = new Map<string, RecordCommand>();
  private readonly counters = new Map<string, number>();
  private readonly listeners = new Set<() => void>();

  addAnswer({ device, epoch, command }: SealcamRecord): void {
    if (command?.source !== 'owner') return;
    const key = epochKey(device, epoch);
    this.counters.set(key, Math.max(this.counters.get(key) ?? 0, command.counter ?? 0));
    if (command.object === undefined) return;
    this.byOrder.set(toHex(command.object), command);
    if (this.byOrder.size > KEPT_MAX) this.byOrder.delete(this.byOrder.keys().next().value ?? '');
    for (const listener of [...this.listeners]) listener();
  }

  /** Highest counter that a camera has taken under a claim, as far as this page knows; any browser of the owner's gave it. */
  counterOf(device: string, epoch: number): number {
    return this.counters.get(epochKey(device, epoch)) ?? 0;
  }

  to(order: Uint8Array): RecordCommand | null {
    return this.byOrder.get(toHex(order)) ?? null;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }
}
