import type { Mirror, MirrorState } from './mirror.js';
import type { Outbox, QueuedRecord, StoredClaim } from './outbox.js';

/**
 * Notes in the mirror what is about to be published. Call it before publishing.
 * Records of an older epoch need no note: the mirror guards the newest one.
 *
 * @throws SealcamError `store-unavailable`, `store-full`
 */
export function noteBeforePublish(outbox: Outbox, mirror: Mirror, records: readonly QueuedRecord[]): void {
  const newest = newestOf(records);
  if (newest === null) return;
  const noted = mirror.state;
  if (noted !== null) {
    if (newest.epoch < noted.epoch) return;
    if (newest.epoch === noted.epoch && noted.seq !== null && newest.seq <= noted.seq) return;
  }
  const claim = outbox.storedClaim(newest.epoch);
  if (claim === null) return;
  mirror.write({
    epoch: newest.epoch,
    claimHash: claim.hash,
    seq: newest.seq,
    hash: newest.hash,
    claim: claim.isOpen ? claim.bytes : new Uint8Array(0),
    ...kemKeysOf(claim),
  });
}

/**
 * Notes the claim or the release in the mirror, so that a lost database neither loses the owner nor brings one back.
 *
 * @throws SealcamError `store-unavailable`, `store-full`
 */
export function noteOwnership(outbox: Outbox, mirror: Mirror): void {
  const open = outbox.storedClaim('open');
  const noted = mirror.state;
  if (open !== null) {
    if (noted?.epoch === open.epoch && noted.claim.length > 0) return;
    mirror.write({
      epoch: open.epoch,
      claimHash: open.hash,
      seq: null,
      hash: null,
      claim: open.bytes,
      ...kemKeysOf(open),
    });
    return;
  }
  const { epoch, claimHash } = outbox.lastEpoch();
  if (epoch === 0 || claimHash === null) return;
  if (noted?.epoch === epoch && noted.claim.length === 0) return;
  const released = {
    epoch,
    claimHash,
    seq: noted?.epoch === epoch ? noted.seq : null,
    hash: noted?.epoch === epoch ? noted.hash : null,
    claim: new Uint8Array(0),
    privacy: false,
  };
  // Twice, so that neither slot holds the claim of the former owner.
  mirror.write(released);
  mirror.write(released);
}

function kemKeysOf({ isOpen, kemKeys }: StoredClaim): Pick<MirrorState, 'kemKeys'> {
  return isOpen && kemKeys.length > 0 ? { kemKeys } : {};
}

function newestOf(records: readonly QueuedRecord[]): QueuedRecord | null {
  let newest: QueuedRecord | null = null;
  for (const record of records) {
    const isNewer =
      newest === null || record.epoch > newest.epoch || (record.epoch === newest.epoch && record.seq > newest.seq);
    if (isNewer) newest = record;
  }
  return newest;
}
