import { equal } from '../../common/bytes.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { anyClaimKind, mayOrder, type AnyClaim } from '../../protocol/objects/claim.js';
import { openSigned } from '../../protocol/objects/signed-object.js';
import type { AccessSummary, ClaimRow } from '../store/store.js';

export type Relation = AccessSummary['relation'];

/** What the signed claim of an epoch says of its row; the columns of a row that is mixed up say something else. */
export interface SignedRow {
  /** The account that the claim names; null without a claim that belongs to the row. */
  readonly account: Uint8Array | null;
  /** Whether the claim belongs to another epoch, does not verify, or names another account than the row. */
  readonly isMixedUp: boolean;
  /** Returns what this key is by the claim; `unknown` where the claim was deleted with its account. */
  readonly relationOf: (key: Uint8Array) => Relation;
}

/** Opens the claim inside a row. Undefined stands for an epoch without a row. */
export function signedRow(suite: CryptoSuite, row: ClaimRow | undefined): SignedRow {
  if (row === undefined) return { account: null, isMixedUp: false, relationOf: () => 'neither' };
  if (row.claim === null) return { account: row.account, isMixedUp: false, relationOf: () => 'unknown' };
  const claim = claimIn(suite, row);
  // A claim that is not this row's says nothing, so nobody had a right by it.
  if (claim === null) return { account: null, isMixedUp: true, relationOf: () => 'neither' };
  return {
    account: claim.account,
    isMixedUp: !equal(claim.account, row.account),
    relationOf: (key) => {
      if (mayOrder(claim, key)) return 'owner';
      return claim.recipients.some(({ ed25519 }) => equal(ed25519, key)) ? 'member' : 'neither';
    },
  };
}

function claimIn(suite: CryptoSuite, { claim: bytes, claimHash, device, epoch }: ClaimRow): AnyClaim | null {
  try {
    const { value, hash } = openSigned(anyClaimKind, suite, bytes ?? new Uint8Array(0));
    return equal(hash, claimHash) && equal(value.device, device) && value.epoch === epoch ? value : null;
  } catch {
    return null;
  }
}
