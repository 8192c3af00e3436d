import { equal } from '../../common/bytes.js';
import type { Receipt } from '../../protocol/objects/receipt.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { OutboxStore } from './store.js';

export interface ReceiptOutcome {
  readonly deleted: number;
  readonly quarantined: number;
  /** Ranges that end in another hash than our record's: a receipt of another history, which deletes nothing. */
  readonly otherHistory: number;
  /** The receipt names records that this camera never made: signing stops until the owner claims it again. */
  readonly stopped: boolean;
}

/** Rejected records that are kept for a person to look at; the oldest make room. */
const QUARANTINE_RECORDS_MAX = 64;

/**
 * Deletes what a receipt proves to be stored, and moves what it rejects to the quarantine, in one transaction.
 * The receipt must have been verified against the claim of its epoch.
 */
export function applyReceipt(store: OutboxStore, { value }: Verified<Receipt>): ReceiptOutcome {
  return store.transaction(() => {
    const { queries } = store;
    const outcome = { deleted: 0, quarantined: 0, otherHistory: 0, stopped: false };
    const epoch = queries.epoch.get(value.epoch);
    if (epoch === undefined) return outcome;
    for (const [from, to, hash] of value.ranges) {
      if (to > epoch.head_seq) {
        queries.stopEpoch.run(epoch.epoch);
        outcome.stopped = true;
        continue;
      }
      const last = queries.record.get(epoch.epoch, to);
      if (last === undefined) continue;
      if (equal(new Uint8Array(last.hash), hash)) outcome.deleted += deleteReceipted(store, epoch.epoch, from, to);
      else outcome.otherHistory++;
    }
    for (const [seq, hash, code] of value.rejects ?? []) {
      if (moveToQuarantine(store, { epoch: epoch.epoch, seq, hash, code })) outcome.quarantined++;
    }
    store.deleteDrained();
    return outcome;
  });
}

function deleteReceipted({ queries }: OutboxStore, epoch: number, from: number, to: number): number {
  const totals = queries.rangeTotals.get({ epoch, from, to });
  const records = totals?.records ?? 0;
  if (records === 0) return 0;
  queries.deleteRecords.run({ epoch, from, to });
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

function moveToQuarantine(store: OutboxStore, { epoch, seq, hash, code }: Reject): boolean {
  const { queries } = store;
  const row = queries.record.get(epoch, seq);
  if (row === undefined || !equal(new Uint8Array(row.hash), hash)) return false;
  const size = store.sizeOf(row);
  queries.insertQuarantined.run({ epoch, seq, code, bytes: row.bytes });
  const excess = (queries.quarantineSize.get()?.records ?? 0) - QUARANTINE_RECORDS_MAX;
  if (excess > 0) queries.trimQuarantine.run(excess);
  queries.deleteRecords.run({ epoch, from: seq, to: seq });
  // The cloud never stores it: a signed loss names it, and what it named is pending again.
  store.losses.addRange(epoch, 'quarantined', seq, seq);
  store.losses.restorePending(epoch, seq, seq);
  queries.addQueued.run(-1, -size);
  queries.addQuarantined.run(1, epoch);
  return true;
}
