import { toHex } from '../../common/bytes.js';
import { LIMITS } from '../../common/limits.js';
import { LOSS_REASONS, type LossReason, type RecordLoss } from '../../protocol/objects/record.js';
import type { LossRow, Queries } from './queries.js';

/**
 * Losses wait here, inside the same transaction as what caused them, until a gap record says them.
 * Ranges that touch and counts of one reason are joined, so that a long outage is one line.
 */
export class PendingLosses {
  private readonly queries: Queries;

  constructor(queries: Queries) {
    this.queries = queries;
  }

  addRange(epoch: number, reason: LossReason, from: number, to: number): void {
    const before = this.queries.lastRange.get(epoch, reason, from - 1);
    if (before !== undefined) this.queries.growRange.run(to, before.id);
    else this.queries.insertLoss.run(epoch, reason, from, to, null, 0);
  }

  /** Sequence numbers in rising order. */
  addErased(epoch: number, seqs: readonly number[]): void {
    let from: number | undefined;
    for (const [i, seq] of seqs.entries()) {
      from ??= seq;
      if (seqs[i + 1] === seq + 1) continue;
      this.addRange(epoch, 'erased', from, seq);
      from = undefined;
    }
  }

  addMedia(epoch: number, reason: LossReason, mediaId: Uint8Array): void {
    this.queries.insertLoss.run(epoch, reason, null, null, mediaId, 0);
  }

  addCount(epoch: number, reason: LossReason, count: number): void {
    const before = this.queries.lastCount.get(epoch, reason);
    if (before !== undefined) this.queries.growCount.run(count, before.id);
    else this.queries.insertLoss.run(epoch, reason, null, null, null, count);
  }

  /** A loss whose record was dropped before anybody heard it; in a later epoch only how many there were can be said. */
  sayAgain(epoch: number, { reason, seqs, media, count }: RecordLoss, isSameEpoch: boolean): void {
    if (count !== undefined) this.addCount(epoch, reason, count);
    if (seqs !== undefined && isSameEpoch) this.addRange(epoch, reason, ...seqs);
    else if (seqs !== undefined) this.addCount(epoch, reason, seqs[1] - seqs[0] + 1);
    if (isSameEpoch) for (const id of media ?? []) this.addMedia(epoch, reason, id);
  }

  isEmpty(epoch: number): boolean {
    return this.queries.losses.get(epoch, 1) === undefined;
  }

  /** Takes as many as one record can say, and forgets them: call it in the transaction that stores that record. */
  take(epoch: number): RecordLoss[] {
    const rows = this.queries.losses.all(epoch, LIMITS.recordLossMax * LIMITS.lossMediaMax);
    const out: RecordLoss[] = [];
    const mediaOf = new Map<LossReason, Uint8Array[]>();
    for (const row of rows) {
      const reason = reasonOf(row);
      if (row.media_id !== null) {
        const list = mediaOf.get(reason) ?? [];
        if (list.length >= LIMITS.lossMediaMax) continue;
        if (list.length === 0 && out.length + mediaOf.size >= LIMITS.recordLossMax) continue;
        mediaOf.set(reason, [...list, new Uint8Array(row.media_id)]);
      } else {
        if (out.length + mediaOf.size >= LIMITS.recordLossMax) continue;
        out.push(
          row.from_seq !== null && row.to_seq !== null
            ? { reason, seqs: [row.from_seq, row.to_seq] }
            : { reason, count: row.count },
        );
      }
      this.queries.deleteLoss.run(row.id);
    }
    for (const [reason, media] of mediaOf) out.push({ reason, media: unique(media) });
    return out;
  }
}

function reasonOf(row: LossRow): LossReason {
  return row.reason in LOSS_REASONS ? (row.reason as LossReason) : 'failed';
}

function unique(ids: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(ids.map((id) => [toHex(id), id])).values()];
}
