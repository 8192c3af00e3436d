import type { Mirror } from './mirror.js';
import type { Outbox, QueuedRecord } from './outbox.js';

/**
 * Notes in the mirror what is about to be said outside, before it is said.
 * Records of an older epoch need no note: the mirror guards the newest one.
 */
export function noteBeforePublish(outbox: Outbox, mirror: Mirror, records: readonly QueuedRecord[]): void {
  const newest = records.reduce<QueuedRecord | null>(
    (best, record) =>
      best === null || record.epoch > best.epoch || (record.epoch === best.epoch && record.seq > best.seq)
        ? record
        : best,
    null,
  );
  if (newest === null) return;
  const noted = mirror.state;
  if (noted !== null) {
    if (newest.epoch < noted.epoch) return;
    if (newest.epoch === noted.epoch && noted.seq !== null && newest.seq <= noted.seq) return;
  }
  const row = outbox.queries.epoch.get(newest.epoch);
  if (row === undefined) return;
  mirror.write({
    epoch: newest.epoch,
    claimHash: new Uint8Array(row.claim_hash),
    seq: newest.seq,
    hash: newest.hash,
    claim: row.is_open === 1 ? new Uint8Array(row.claim) : new Uint8Array(0),
  });
}

/** After a claim or a release, so that a lost database neither loses the owner nor brings one back. */
export function noteOwnership(outbox: Outbox, mirror: Mirror): void {
  const open = outbox.queries.openEpoch.get();
  const noted = mirror.state;
  if (open !== undefined) {
    if (noted?.epoch === open.epoch && noted.claim.length > 0) return;
    mirror.write({
      epoch: open.epoch,
      claimHash: new Uint8Array(open.claim_hash),
      seq: null,
      hash: null,
      claim: new Uint8Array(open.claim),
    });
    return;
  }
  const device = outbox.queries.device.get();
  const lastClaimHash = device?.last_claim_hash ?? null;
  if (device === undefined || device.last_epoch === 0 || lastClaimHash === null) return;
  if (noted?.epoch === device.last_epoch && noted.claim.length === 0) return;
  const released = {
    epoch: device.last_epoch,
    claimHash: new Uint8Array(lastClaimHash),
    seq: noted?.epoch === device.last_epoch ? noted.seq : null,
    hash: noted?.epoch === device.last_epoch ? noted.hash : null,
    claim: new Uint8Array(0),
    privacy: false,
  };
  // Twice, so that neither slot holds the claim of who was the owner.
  mirror.write(released);
  mirror.write(released);
}
