import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { receiptKind, type Pacing, type Receipt } from '../../protocol/objects/receipt.js';
import { signObject } from '../../protocol/objects/signed-object.js';

/** One record's fate, as a receipt says it. */
export type Settled =
  | { readonly type: 'stored'; readonly seq: number; readonly hash: Uint8Array }
  | { readonly type: 'rejected'; readonly seq: number; readonly hash: Uint8Array; readonly code: RejectCode };

export type RejectCode = 'malformed' | 'equivocation';

export interface EpochOfReceipt {
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly claimHash: Uint8Array;
}

/** With the claim of the row, whose receipt keys decide who signs; null after its account was deleted. */
export interface ReceiptedEpoch extends EpochOfReceipt {
  readonly claim: Uint8Array | null;
}

/** Signs what was stored and what never will be. Seqs in a row become one range, named by its last record's hash. */
export function makeReceipt(
  suite: CryptoSuite,
  signer: Signer,
  { device, epoch, claimHash }: EpochOfReceipt,
  settled: readonly Settled[],
  pacing: Pacing | null,
): Uint8Array {
  const ranges: [number, number, Uint8Array][] = [];
  const stored = settled.filter((item) => item.type === 'stored').sort((a, b) => a.seq - b.seq);
  for (const { seq, hash } of stored) {
    const last = ranges.at(-1);
    if (last !== undefined && (seq === last[1] + 1 || seq === last[1]))
      ranges[ranges.length - 1] = [last[0], seq, hash];
    else ranges.push([seq, seq, hash]);
  }
  const rejects = settled
    .filter((item) => item.type === 'rejected')
    .map(({ seq, hash, code }) => [seq, hash, code] as const);
  const receipt: Receipt = {
    device,
    epoch,
    claimHash,
    ranges: ranges.slice(0, LIMITS.receiptRangesMax),
    ...(rejects.length === 0 ? {} : { rejects: rejects.slice(0, LIMITS.receiptRejectsMax) }),
    ...(pacing === null ? {} : { pacing }),
  };
  return signObject(receiptKind, suite, signer, receipt).bytes;
}
