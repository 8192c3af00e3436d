import { equal } from '../../common/bytes.js';
import type { AnyReceipt } from '../../protocol/objects/receipt.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { movePast } from './state-lost.js';
import type { OutboxStore } from './store.js';

export interface ReceiptOutcome {
  readonly deleted: number;
  readonly quarantined: number;
  /** Rejected key records that stay, because what they open is still here. The period ends: a new one gets another key record. */
  readonly keysRejected: number;
  /** Ranges that end in another hash than our record's: a receipt of another history, which deletes nothing. */
  readonly otherHistory: number;
  /** Ranges that end after everything this camera signed and did not move it: they are ignored. */
  readonly ahead: number;
  /**
   * The last seq that the camera gave up, because the receipt rejects a record of its own for another one; null if it stays
   * where it is.
   */
  readonly movedTo: number | null;
}

/** Rejected records that are kept for a person to look at; the oldest make room. */
const QUARANTINE_RECORDS_MAX = 64;

/**
 * Deletes what a receipt proves to be stored, and moves what it rejects to the quarantine, in one transaction.
 * The receipt must have been verified against the claim of its epoch.
 *
 * A range that is ahead of this camera proves nothing: database and mirror agree since the outbox was opened, and the cloud
 * may lie. Only together with the reject of a record of its own does it show that the camera lost its state.
 */
export function applyReceipt(store: OutboxStore, { value }: Verified<AnyReceipt>, time: RecordTime): ReceiptOutcome {
  return store.transaction(() => {
    const { queries } = store;
    const outcome = {
      deleted: 0,
      quarantined: 0,
      keysRejected: 0,
      otherHistory: 0,
      ahead: 0,
      movedTo: null as number | null,
    };
    const epoch = queries.epoch.get(value.epoch);
    if (epoch === undefined) return outcome;
    let rejectedSeq: number | null = null;
    for (const [seq, hash, code] of value.rejects ?? []) {
      const moved = moveToQuarantine(store, { epoch: epoch.epoch, seq, hash, code });
      if (moved === null) continue;
      if (moved === 'kept') outcome.keysRejected++;
      else outcome.quarantined++;
      if (code === 'equivocation') rejectedSeq = Math.min(seq, rejectedSeq ?? seq);
    }
    let headSeq = -1;
    const ahead: number[] = [];
    for (const [from, to, hash] of value.ranges) {
      headSeq = Math.max(headSeq, to);
      if (to > epoch.head_seq) {
        ahead.push(to);
        continue;
      }
      const last = queries.record.get(epoch.epoch, to);
      if (last === undefined) continue;
      if (equal(new Uint8Array(last.hash), hash)) outcome.deleted += deleteReceipted(store, epoch.epoch, from, to);
      // A cloud that says which record it has instead does not lie about the ones after it.
      else if (rejectedSeq === null) outcome.otherHistory++;
    }
    if (rejectedSeq !== null) outcome.movedTo = movePast(store, epoch.epoch, { rejectedSeq, headSeq }, time);
    const { movedTo } = outcome;
    outcome.ahead = ahead.filter((to) => movedTo === null || to > movedTo).length;
    store.deleteDrained();
    return outcome;
  });
}

function deleteReceipted({ queries, segments }: OutboxStore, epoch: number, from: number, to: number): number {
  const totals = queries.rangeTotals.get({ epoch, from, to });
  const records = totals?.records ?? 0;
  if (records === 0) return 0;
  if (from === 0) queries.keepAccept.run(epoch);
  queries.markDelivered.run({ epoch, from, to });
  segments.markReady(epoch, from, to);
  queries.deleteRecords.run({ epoch, from, to });
  queries.forgetPeriodCopies.run({ epoch, from, to });
  queries.deleteAssignedLosses.run({ epoch, from, to });
  queries.addQueued.run(-records, -(totals?.bytes ?? 0));
  queries.addReceipted.run(records, epoch);
  if (from === 0) queries.markAcceptReceipted.run(epoch);
  return records;
}

interface Reject {
  readonly epoch: number;
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly code: string;
}

/**
 * Moves a record that the cloud will never store to the quarantine. A later record names it as `quarantined`, and again the
 * losses that it named itself. A key record that something here needs is kept. Null: it is not the record that is here.
 */
function moveToQuarantine(store: OutboxStore, { epoch, seq, hash, code }: Reject): 'moved' | 'kept' | null {
  const { queries, losses, segments } = store;
  const row = queries.record.get(epoch, seq);
  if (row === undefined || !equal(new Uint8Array(row.hash), hash)) return null;
  if (queries.isNeededKey.get(epoch, seq) !== undefined) return 'kept';
  const size = store.sizeOf(row);
  queries.insertQuarantined.run({ epoch, seq, code, bytes: row.bytes });
  const excess = (queries.quarantineSize.get()?.records ?? 0) - QUARANTINE_RECORDS_MAX;
  if (excess > 0) queries.trimQuarantine.run(excess);
  queries.deleteRecords.run({ epoch, from: seq, to: seq });
  queries.deletePeriods.run({ epoch, from: seq, to: seq });
  queries.addQueued.run(-1, -size);
  queries.addQuarantined.run(1, epoch);
  segments.dropOf(epoch, seq, seq);
  losses.addRange(epoch, 'quarantined', seq, seq);
  losses.restorePending(epoch, seq, seq);
  return 'moved';
}
