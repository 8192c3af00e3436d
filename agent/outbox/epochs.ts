import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Claim } from '../../protocol/objects/claim.js';
import type { SealcamRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { Outbox } from './outbox.js';
import type { EpochRow } from './queries.js';

/** Where the camera's ownership stands. The counter survives release and reset. */
export interface Ownership {
  readonly lastEpoch: number;
  readonly lastClaimHash: Uint8Array | null;
  readonly claim: Verified<Claim> | null;
  /** Signing stopped: the cloud proved to know records that this camera does not. */
  readonly isStopped: boolean;
}

export function ownershipOf(outbox: Outbox): Ownership {
  const device = outbox.queries.device.get();
  const lastClaimHash = device?.last_claim_hash ?? null;
  return {
    lastEpoch: device?.last_epoch ?? 0,
    lastClaimHash: lastClaimHash === null ? null : new Uint8Array(lastClaimHash),
    claim: outbox.currentClaim(),
    isStopped: outbox.queries.openEpoch.get()?.stopped === 1,
  };
}

/**
 * A new epoch: tombstone of the old one, claim and accept record in one transaction. The claim must have been
 * checked against the claim window; here only the chain of epochs is checked once more.
 */
export function beginEpoch(
  outbox: Outbox,
  claim: Verified<Claim>,
  time: SealcamRecord['time'],
): Verified<SealcamRecord> {
  return outbox.transaction(() => {
    const { lastEpoch, lastClaimHash } = ownershipOf(outbox);
    if (claim.value.epoch !== lastEpoch + 1 || !sameHash(claim.value.previous, lastClaimHash)) {
      throw new SealcamError('claim-refused', 'the claim does not follow the last epoch');
    }
    const open = outbox.queries.openEpoch.get();
    if (open !== undefined) close(outbox, open, 'superseded', time);
    outbox.queries.insertEpoch.run(claim.value.epoch, claim.bytes, claim.hash, claim.hash);
    outbox.queries.setEpoch.run(claim.value.epoch, claim.hash);
    if (open?.stopped === 1) outbox.losses.carryPending(open.epoch);
    return outbox.insert(epochRow(outbox, claim.value.epoch), { kind: 'accept', time });
  });
}

/**
 * The end of an ownership: everything is erased but the tombstone, which waits for its receipt, and an accept that has none
 * yet, which says no more than the claim (docs/decisions/0009-accept-before-tombstone.md).
 */
export function endEpoch(outbox: Outbox, reason: 'release' | 'reset', time: SealcamRecord['time']): void {
  outbox.erase(() => {
    const open = outbox.queries.openEpoch.get();
    if (open !== undefined) {
      for (const row of outbox.queries.epochs.all()) eraseQueue(outbox, row);
      close(outbox, open, reason, time);
    }
    outbox.queries.eraseQuarantine.run();
    outbox.queries.eraseOrders.run();
    outbox.queries.setFresh.run(1);
  });
}

/** Whether this is the first start without an owner: asked once, answered yes once. */
export function consumeFirstStart(outbox: Outbox): boolean {
  // A start with a full disk must not fail for a note that is there already.
  if (outbox.queries.device.get()?.is_fresh !== 1) return false;
  return outbox.transaction(() => {
    outbox.queries.setFresh.run(0);
    return outbox.queries.openEpoch.get() === undefined;
  });
}

/**
 * An accept that is still here has no receipt: without it the cloud knows nothing of this epoch, and would never receipt its
 * end. Of an epoch that was closed before, the end stays too. Both carry nothing that was seen.
 */
function eraseQueue(outbox: Outbox, { epoch, is_open: isOpen, head_seq: head }: EpochRow): void {
  const [from, to] = [1, isOpen === 1 ? head : head - 1];
  const totals = outbox.queries.rangeTotals.get(epoch, from, to);
  const records = totals?.records ?? 0;
  if (records === 0) return;
  const seqs = outbox.queries.seqs.all(epoch).map(({ seq }) => seq);
  outbox.losses.addSeqs(
    epoch,
    'erased',
    seqs.filter((seq) => seq >= from && seq <= to),
  );
  outbox.losses.restorePending(epoch, from, to);
  outbox.queries.deleteRange.run(epoch, from, to);
  outbox.queries.addQueued.run(-records, -(totals?.bytes ?? 0));
  outbox.queries.count.run(0, 0, records, epoch);
}

function close(
  outbox: Outbox,
  open: EpochRow,
  reason: 'superseded' | 'release' | 'reset',
  time: SealcamRecord['time'],
): void {
  // A stopped epoch signs nothing more, not even its end.
  if (open.stopped === 0) {
    let loss = outbox.losses.claimForRecord(open.epoch, open.head_seq + 1);
    let row = open;
    // Nobody can say it after the tombstone, and one record has room for so much.
    while (!outbox.losses.isEmpty(open.epoch)) {
      outbox.insert(row, { kind: 'gap', time, loss });
      row = epochRow(outbox, open.epoch);
      loss = outbox.losses.claimForRecord(open.epoch, row.head_seq + 1);
    }
    outbox.insert(row, { kind: 'tombstone', time, tombstone: { reason }, ...(loss.length === 0 ? {} : { loss }) });
  }
  outbox.queries.closeEpoch.run(open.epoch);
  outbox.deleteDrained();
}

function epochRow(outbox: Outbox, epoch: number): EpochRow {
  const row = outbox.queries.epoch.get(epoch);
  if (row === undefined) throw new SealcamError('internal', `epoch ${String(epoch)} is missing`);
  return row;
}

function sameHash(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : equal(a, b);
}
