import { equal } from '../../common/bytes.js';
import type { SealcamRecord } from '../objects/record.js';

/** Who owns a camera in one epoch, as the authoritative store says it. Never from a cache. */
export interface ClaimBinding {
  readonly device: Uint8Array;
  readonly account: Uint8Array;
  readonly epoch: number;
  readonly claimHash: Uint8Array;
  readonly state: 'open' | 'closed' | 'revoked';
  /** Seq of the tombstone, once the epoch is closed. */
  readonly closedAtSeq: number | null;
}

/**
 * Holds a signed record against the claim row of its own epoch.
 * The record was signed by the camera, so a row that disagrees is wrong, however it came to be so.
 */
export function checkBinding(
  record: SealcamRecord,
  binding: ClaimBinding | undefined,
): 'bound' | 'foreign' | 'revoked' {
  if (
    binding === undefined ||
    !equal(binding.device, record.device) ||
    !equal(binding.account, record.account) ||
    binding.epoch !== record.epoch ||
    !equal(binding.claimHash, record.claimHash)
  ) {
    return 'foreign';
  }
  if (binding.state === 'revoked') return 'revoked';
  if (binding.state === 'closed' && (binding.closedAtSeq === null || record.seq > binding.closedAtSeq)) {
    return 'revoked';
  }
  return 'bound';
}
