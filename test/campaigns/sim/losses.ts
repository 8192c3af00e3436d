import { toHex } from '../../../common/bytes.js';
import { recordKey } from '../../../protocol/objects/ids.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import { storeOf } from '../../support/outbox-store.js';
import type { SimCamera } from './camera.js';
import type { Made } from './oracle.js';

/** Everything declared lost: in signed records that were kept, or noted by a camera for its next record. */
export class Losses {
  private readonly seqs = new Set<string>();
  private readonly media = new Set<string>();
  /** Erased at a release or a reset. */
  private readonly erased = new Set<string>();
  /** Cameras whose erased losses a later epoch counts: those of an epoch that had ended before. */
  private readonly counting = new Set<string>();
  /** Losses without a seq, among them records of a closed epoch, which a later epoch can only count. */
  counted = 0;

  /** Adds the losses that a record declares. */
  addDeclared({ device, epoch, loss }: AnyRecord): void {
    for (const { reason, seqs, media, count } of loss ?? []) {
      if (seqs !== undefined) this.range(toHex(device), epoch, seqs[0], seqs[1], reason === 'erased');
      for (const id of media ?? []) this.media.add(toHex(id));
      this.counted += count ?? 0;
      if (reason === 'erased' && count !== undefined) this.counting.add(toHex(device));
    }
  }

  /** Adds the losses that a camera has noted and not yet declared. */
  addPending({ agent, hex }: SimCamera): void {
    if (agent === null) return;
    const { queries } = storeOf(agent.outbox);
    for (const { epoch } of queries.epochs.all()) {
      for (const row of queries.pendingLosses.all(epoch, 1e6)) {
        if (row.from_seq !== null && row.to_seq !== null) this.range(hex, epoch, row.from_seq, row.to_seq);
        if (row.media_id !== null) this.media.add(toHex(new Uint8Array(row.media_id)));
        this.counted += row.count;
      }
    }
  }

  isErased(key: string): boolean {
    return this.erased.has(key);
  }

  /** Returns whether a record that is gone and not named may be one of those that its camera erased and counts. */
  mayBeErased(key: string, device: string): boolean {
    return this.isErased(key) || (this.counting.has(device) && !this.hasRecord(key));
  }

  hasRecord(key: string): boolean {
    return this.seqs.has(key);
  }

  hasMedia(id: Uint8Array): boolean {
    return this.media.has(toHex(id));
  }

  private range(device: string, epoch: number, from: number, to: number, isErased = false): void {
    for (let seq = from; seq <= to; seq++) {
      const key = recordKey({ device, epoch, seq });
      this.seqs.add(key);
      if (isErased) this.erased.add(key);
    }
  }
}

/** Whether a record waits at its camera. */
export function waits({ camera, record }: Made): boolean {
  const { epoch, seq } = record.value;
  const { agent } = camera;
  return agent !== null && storeOf(agent.outbox).queries.record.get(epoch, seq) !== undefined;
}
