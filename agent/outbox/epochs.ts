import { concat, equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import { KEM_KEY_BYTES } from '../../protocol/objects/ids.js';
import type { AnyRecord, RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { EpochRow } from './queries.js';
import type { OutboxStore } from './store.js';

/** Where the camera's ownership stands. The epoch counter survives release and reset. */
export interface Ownership {
  readonly lastEpoch: number;
  readonly lastClaimHash: Uint8Array | null;
  readonly claim: Verified<AnyClaim> | null;
}

/**
 * Opens the epoch of a claim: tombstone of the old epoch, claim and accept record in one transaction. The caller has
 * checked the claim against the claim window, and its KEM keys; only the chain of epochs is checked again here.
 *
 * @param kemKeys of a claim of version 2, in its order
 * @throws SealcamError `claim-refused`
 */
export function beginEpoch(
  store: OutboxStore,
  claim: Verified<AnyClaim>,
  time: RecordTime,
  kemKeys: readonly Uint8Array[] = [],
): Verified<AnyRecord> {
  return store.transaction(() => {
    const { queries } = store;
    const { epoch, previous } = claim.value;
    const device = queries.device.get();
    const lastHash = device?.last_claim_hash ?? null;
    if (epoch !== (device?.last_epoch ?? 0) + 1 || !isSameHash(previous, lastHash)) {
      throw new SealcamError('claim-refused', 'the claim does not follow the last epoch');
    }
    const open = queries.openEpoch.get();
    if (open !== undefined) closeEpoch(store, open, 'superseded', time);
    queries.insertEpoch.run({
      epoch,
      claim: claim.bytes,
      claimHash: claim.hash,
      headHash: claim.hash,
      kemKeys: packKemKeys(kemKeys),
    });
    queries.setLastEpoch.run(epoch, claim.hash);
    store.deleteDrained();
    return store.insert(epochRow(store, epoch), { kind: 'accept', time });
  });
}

/**
 * Ends the ownership and erases everything recorded under it. Two records stay until they are receipted: the tombstone,
 * and an accept without a receipt, which holds no more than the claim (docs/decisions/0009-accept-before-tombstone.md).
 */
export function endEpoch(store: OutboxStore, reason: 'release' | 'reset', time: RecordTime): void {
  store.erase(() => {
    const { queries } = store;
    const open = queries.openEpoch.get();
    if (open !== undefined) {
      for (const row of queries.epochs.all()) eraseQueued(store, row);
      // Those whose records the cloud has.
      const bodies = store.segments.dropAll();
      if (bodies > 0) store.losses.addCount(open.epoch, 'erased', bodies);
      closeEpoch(store, open, reason, time);
      store.deleteDrained();
    }
    queries.eraseQuarantine.run();
    queries.eraseOrders.run();
    queries.eraseHealthMarks.run();
    queries.setFresh.run(1);
  });
}

/** Returns whether this is the first start without an owner; true only once. */
export function consumeFirstStart(store: OutboxStore): boolean {
  // Written only if it changes, so that a start with a full disk does not fail here.
  if (store.queries.device.get()?.is_fresh !== 1) return false;
  return store.transaction(() => {
    store.queries.setFresh.run(0);
    return store.queries.openEpoch.get() === undefined;
  });
}

/** Returns KEM keys as they lie in the database; null without any. */
export function packKemKeys(keys: readonly Uint8Array[]): Uint8Array | null {
  return keys.length === 0 ? null : concat(...keys);
}

/** Reverses {@link packKemKeys}. */
export function unpackKemKeys(packed: Uint8Array | null): readonly Uint8Array[] {
  const bytes = new Uint8Array(packed ?? []);
  const count = Math.floor(bytes.length / KEM_KEY_BYTES);
  return Array.from({ length: count }, (_, i) => bytes.slice(i * KEM_KEY_BYTES, (i + 1) * KEM_KEY_BYTES));
}

/**
 * Erases the records of an epoch but its unreceipted accept, without which the cloud knows nothing of the epoch and never
 * receipts its end, and, of an epoch that was closed before, its tombstone. Neither carries anything that was seen.
 */
function eraseQueued(
  { queries, losses, segments }: OutboxStore,
  { epoch, is_open: isOpen, head_seq: head }: EpochRow,
): void {
  const from = 1;
  const to = isOpen === 1 ? head : head - 1;
  const totals = queries.rangeTotals.get({ epoch, from, to });
  const records = totals?.records ?? 0;
  if (records === 0) return;
  const seqs = queries.seqs.all(epoch).map(({ seq }) => seq);
  losses.addSeqs(
    epoch,
    'erased',
    seqs.filter((seq) => seq >= from && seq <= to),
  );
  segments.dropOf(epoch, from, to);
  losses.restorePending(epoch, from, to);
  queries.deleteRecords.run({ epoch, from, to });
  queries.deletePeriods.run({ epoch, from, to });
  queries.addQueued.run(-records, -(totals?.bytes ?? 0));
  queries.addLost.run(records, epoch);
}

function closeEpoch(
  store: OutboxStore,
  open: EpochRow,
  reason: 'superseded' | 'release' | 'reset',
  time: RecordTime,
): void {
  let row = open;
  let loss = store.losses.claimForRecord(open.epoch, row.head_seq + 1);
  // After the tombstone nobody can name these losses, and one record has limited room for them.
  while (!store.losses.isEmpty(open.epoch)) {
    store.insert(row, { kind: 'gap', time, loss });
    row = epochRow(store, open.epoch);
    loss = store.losses.claimForRecord(open.epoch, row.head_seq + 1);
  }
  store.insert(row, { kind: 'tombstone', time, tombstone: { reason }, ...(loss.length === 0 ? {} : { loss }) });
  store.queries.closeEpoch.run(open.epoch);
}

function epochRow(store: OutboxStore, epoch: number): EpochRow {
  const row = store.queries.epoch.get(epoch);
  if (row === undefined) throw new SealcamError('internal', `epoch ${String(epoch)} is missing`);
  return row;
}

function isSameHash(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : equal(a, b);
}
