import { toHex } from '../../common/bytes.js';
import { LIMITS } from '../../common/limits.js';
import { LOSS_REASONS_V2, type LossReason, type RecordLoss } from '../../protocol/objects/record-fields-v2.js';
import type { LossRow, Queries } from './queries.js';

/** No outbox holds more pending losses than this. */
const PENDING_LOSSES_MAX = 1_000_000;

/**
 * Losses that wait for a record to name them. A loss is stored in the transaction of what caused it, assigned to the gap
 * record that names it, and deleted with that record's receipt; if that record is dropped, the loss is pending again.
 * Adjacent ranges and counts of one reason are merged, so that a long outage is one row. A closed epoch signs nothing:
 * its losses are named by the open epoch, as a count.
 */
export class PendingLosses {
  private readonly queries: Queries;

  constructor(queries: Queries) {
    this.queries = queries;
  }

  /** Adds the records `from` to `to`, inclusive. */
  addRange(epoch: number, reason: LossReason, from: number, to: number): void {
    if (this.isClosed(epoch)) {
      this.addToOpenEpoch(reason, to - from + 1);
      return;
    }
    const before = this.queries.adjacentRange.get({ epoch, reason, to: from - 1 });
    if (before !== undefined) this.queries.extendRange.run(to, before.id);
    else this.queries.insertLoss.run({ epoch, reason, from, to, mediaId: null, count: 0 });
  }

  /** Adds records that the record `saidSeq` names already. */
  addSaid(epoch: number, reason: LossReason, from: number, to: number, saidSeq: number): void {
    this.queries.insertSaidLoss.run({ epoch, reason, from, to, saidSeq });
  }

  /** Adds sequence numbers, in rising order. */
  addSeqs(epoch: number, reason: LossReason, seqs: readonly number[]): void {
    let from: number | undefined;
    for (const [i, seq] of seqs.entries()) {
      from ??= seq;
      if (seqs[i + 1] === seq + 1) continue;
      this.addRange(epoch, reason, from, seq);
      from = undefined;
    }
  }

  /** Adds a picture or segment of the record `seq`, which stays. */
  addMedia(epoch: number, reason: LossReason, mediaId: Uint8Array, seq: number): void {
    if (this.isClosed(epoch)) this.addToOpenEpoch(reason, 1);
    else this.queries.insertLoss.run({ epoch, reason, from: seq, to: null, mediaId, count: 0 });
  }

  /** Adds losses that have no seq. */
  addCount(epoch: number, reason: LossReason, count: number): void {
    const before = this.queries.pendingCount.get(epoch, reason);
    if (before !== undefined) this.queries.addToCount.run(count, before.id);
    else this.queries.insertLoss.run({ epoch, reason, from: null, to: null, mediaId: null, count });
  }

  /** For records that leave without a receipt: the losses they name are pending again, and their pictures go with them. */
  restorePending(epoch: number, from: number, to: number): void {
    this.queries.deleteMediaLosses.run({ epoch, from, to });
    if (this.isClosed(epoch)) {
      this.carryToOpenEpoch(this.queries.assignedLosses.all({ epoch, from, to }));
      return;
    }
    if (this.queries.unassignLosses.run({ epoch, from, to }).changes === 0) return;
    // Each gap record named its own piece of the same outage: merge the pieces.
    let before: LossRow | undefined;
    for (const row of this.queries.pendingRanges.all(epoch)) {
      if (before?.reason === row.reason && row.from_seq === (before.to_seq ?? 0) + 1) {
        this.queries.extendRange.run(row.to_seq, before.id);
        this.queries.deleteLoss.run(row.id);
        before = { ...before, to_seq: row.to_seq };
      } else before = row;
    }
  }

  /** Moves the pending losses of an epoch that ended without naming them to the open one. */
  carryPending(epoch: number): void {
    this.carryToOpenEpoch(this.queries.pendingLosses.all(epoch, PENDING_LOSSES_MAX));
  }

  isEmpty(epoch: number): boolean {
    return this.queries.pendingLosses.get(epoch, 1) === undefined;
  }

  /**
   * Assigns to the record `seq` as many pending losses as one record can name, and returns them. Call it in the
   * transaction that stores that record.
   */
  claimForRecord(epoch: number, seq: number): RecordLoss[] {
    const rows = this.queries.pendingLosses.all(epoch, LIMITS.recordLossMax * LIMITS.lossMediaMax);
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
      this.queries.assignLoss.run(seq, row.id);
    }
    for (const [reason, media] of mediaOf) out.push({ reason, media: unique(media) });
    return out;
  }

  private carryToOpenEpoch(losses: readonly LossRow[]): void {
    for (const row of losses) {
      this.addToOpenEpoch(reasonOf(row), lostIn(row));
      this.queries.deleteLoss.run(row.id);
    }
  }

  private isClosed(epoch: number): boolean {
    return this.queries.epoch.get(epoch)?.is_open !== 1;
  }

  private addToOpenEpoch(reason: LossReason, count: number): void {
    const open = this.queries.openEpoch.get();
    if (open === undefined) return;
    // Version 1 has no such reason.
    const said = open.kem_keys === null && reason === 'refused' ? 'failed' : reason;
    this.addCount(open.epoch, said, count);
  }
}

/** The number of things that a row stands for. */
function lostIn({ from_seq: from, to_seq: to, media_id: mediaId, count }: LossRow): number {
  if (mediaId !== null) return 1;
  return from !== null && to !== null ? to - from + 1 : count;
}

function reasonOf(row: Pick<LossRow, 'reason'>): LossReason {
  return row.reason in LOSS_REASONS_V2 ? (row.reason as LossReason) : 'failed';
}

function unique(ids: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(ids.map((id) => [toHex(id), id])).values()];
}
