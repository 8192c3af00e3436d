import { toHex } from '../../common/bytes.js';
import { LIMITS } from '../../common/limits.js';
import { LOSS_REASONS, type LossReason, type RecordLoss } from '../../protocol/objects/record.js';
import type { LossRow, Queries } from './queries.js';

/** More rows than a queue of records gives. */
const LOSSES_MAX = 1_000_000;

/**
 * Losses wait here, inside the same transaction as what caused them, until a gap record says them, and stay until that
 * record is receipted: if it is dropped itself, they are said again.
 * Ranges that touch and counts of one reason are joined, so that a long outage is one line.
 * A closed epoch signs nothing more. What is lost of it is said in the open one, as a count.
 */
export class PendingLosses {
  private readonly queries: Queries;

  constructor(queries: Queries) {
    this.queries = queries;
  }

  addRange(epoch: number, reason: LossReason, from: number, to: number): void {
    if (this.isClosed(epoch)) {
      this.addToOpenEpoch(reason, to - from + 1);
      return;
    }
    const before = this.queries.lastRange.get(epoch, reason, from - 1);
    if (before !== undefined) this.queries.growRange.run(to, before.id);
    else this.queries.insertLoss.run(epoch, reason, from, to, null, 0);
  }

  /** Sequence numbers in rising order. */
  addSeqs(epoch: number, reason: LossReason, seqs: readonly number[]): void {
    let from: number | undefined;
    for (const [i, seq] of seqs.entries()) {
      from ??= seq;
      if (seqs[i + 1] === seq + 1) continue;
      this.addRange(epoch, reason, from, seq);
      from = undefined;
    }
  }

  /** A picture of the record `seq`, which stays. */
  addMedia(epoch: number, reason: LossReason, mediaId: Uint8Array, seq: number): void {
    if (this.isClosed(epoch)) this.addToOpenEpoch(reason, 1);
    else this.queries.insertLoss.run(epoch, reason, seq, null, mediaId, 0);
  }

  addCount(epoch: number, reason: LossReason, count: number): void {
    const before = this.queries.lastCount.get(epoch, reason);
    if (before !== undefined) this.queries.growCount.run(count, before.id);
    else this.queries.insertLoss.run(epoch, reason, null, null, null, count);
  }

  /** These records leave without a receipt: what they said is pending again, and their pictures are lost with them. */
  restorePending(epoch: number, from: number, to: number): void {
    this.queries.deleteMediaLosses.run(epoch, from, to);
    if (this.isClosed(epoch)) {
      this.carryToOpenEpoch(this.queries.saidLosses.all(epoch, from, to));
      return;
    }
    if (this.queries.unsayLosses.run(epoch, from, to).changes === 0) return;
    // Each gap record had its own piece of the same outage.
    let before: LossRow | undefined;
    for (const row of this.queries.ranges.all(epoch)) {
      if (before?.reason === row.reason && row.from_seq === (before.to_seq ?? 0) + 1) {
        this.queries.growRange.run(row.to_seq, before.id);
        this.queries.deleteLoss.run(row.id);
        before = { ...before, to_seq: row.to_seq };
      } else before = row;
    }
  }

  /** What an epoch that was stopped could not say any more. */
  carryPending(epoch: number): void {
    this.carryToOpenEpoch(this.queries.losses.all(epoch, LOSSES_MAX));
  }

  isEmpty(epoch: number): boolean {
    return this.queries.losses.get(epoch, 1) === undefined;
  }

  /** Takes as many as one record can say: call it in the transaction that stores that record, `seq`. */
  claimForRecord(epoch: number, seq: number): RecordLoss[] {
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
      this.queries.sayLoss.run(seq, row.id);
    }
    for (const [reason, media] of mediaOf) out.push({ reason, media: unique(media) });
    return out;
  }

  private carryToOpenEpoch(losses: readonly LossRow[]): void {
    for (const { id, reason, from_seq: from, to_seq: to, media_id: media, count } of losses) {
      const sum = media !== null ? 1 : from !== null && to !== null ? to - from + 1 : count;
      this.addToOpenEpoch(reasonOf({ reason }), sum);
      this.queries.deleteLoss.run(id);
    }
  }

  private isClosed(epoch: number): boolean {
    return this.queries.epoch.get(epoch)?.is_open !== 1;
  }

  private addToOpenEpoch(reason: LossReason, count: number): void {
    const open = this.queries.openEpoch.get();
    if (open !== undefined) this.addCount(open.epoch, reason, count);
  }
}

function reasonOf(row: Pick<LossRow, 'reason'>): LossReason {
  return row.reason in LOSS_REASONS ? (row.reason as LossReason) : 'failed';
}

function unique(ids: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(ids.map((id) => [toHex(id), id])).values()];
}
