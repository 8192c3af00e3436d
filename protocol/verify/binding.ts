import { equal } from '../../common/bytes.js';
import type { AnyRecord } from '../objects/record.js';
import { versionOf, type ProtocolVersion } from '../objects/signed-object.js';

/** The claim row of one epoch: who owns the camera. Read it from the authoritative store, never from a cache. */
export interface ClaimBinding {
  readonly device: Uint8Array;
  readonly account: Uint8Array;
  readonly epoch: number;
  readonly claimHash: Uint8Array;
  /** Version of the claim, and so of everything in its epoch; 1 where it is not said. */
  readonly version?: ProtocolVersion;
  readonly state: 'open' | 'closed' | 'revoked';
  /** Seq of the tombstone; null while the epoch is open. */
  readonly closedAtSeq: number | null;
}

/**
 * Compares a verified record with the claim row of its own epoch. The camera signed the record, so if the two disagree,
 * the row is wrong.
 *
 * @returns `bound` if the record may be shown to this account, otherwise the verdict with which it is refused
 */
export function checkBinding(
  record: AnyRecord,
  binding: ClaimBinding | undefined,
): 'bound' | 'foreign' | 'revoked' | 'malformed' {
  if (
    binding === undefined ||
    !equal(binding.device, record.device) ||
    !equal(binding.account, record.account) ||
    binding.epoch !== record.epoch ||
    !equal(binding.claimHash, record.claimHash)
  ) {
    return 'foreign';
  }
  if (versionOf(record) !== (binding.version ?? 1)) return 'malformed';
  if (binding.state === 'revoked') return 'revoked';
  if (binding.state === 'closed' && (binding.closedAtSeq === null || record.seq > binding.closedAtSeq)) {
    return 'revoked';
  }
  return 'bound';
}
