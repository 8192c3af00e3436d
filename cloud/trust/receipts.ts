import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { anyReceiptKind, type AnyReceipt, type Pacing } from '../../protocol/objects/receipt.js';
import { signBytes, type ProtocolVersion } from '../../protocol/objects/signed-object.js';

/** What a receipt states about one record. */
export type ReceiptEntry =
  | { readonly type: 'stored'; readonly seq: number; readonly hash: Uint8Array }
  /** The newest record stored whole, named beside a reject. */
  | { readonly type: 'head'; readonly seq: number; readonly hash: Uint8Array }
  | { readonly type: 'rejected'; readonly seq: number; readonly hash: Uint8Array; readonly code: RejectCode };

export type RejectCode = 'malformed' | 'equivocation';

/** The epoch that a receipt is for. */
export interface ReceiptedEpoch {
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly claimHash: Uint8Array;
  /** Of the claim: its receipts have the same. */
  readonly version: ProtocolVersion;
  /** The claim of the row, whose receipt keys decide who signs; null after its account was deleted. */
  readonly claim: Uint8Array | null;
}

export interface ReceiptInput {
  readonly epoch: Omit<ReceiptedEpoch, 'claim'>;
  readonly entries: readonly ReceiptEntry[];
  readonly pacing: Pacing | null;
}

/**
 * Signs a receipt for records that are stored or rejected for good. Consecutive seqs become one range, which carries the
 * hash of its last record. The head has a range of its own, so that no other range ends in a record that the camera lacks.
 */
export function makeReceipt(suite: CryptoSuite, signer: Signer, { epoch, entries, pacing }: ReceiptInput): Uint8Array {
  const ranges: [number, number, Uint8Array][] = [];
  const stored = entries.filter((entry) => entry.type === 'stored').sort((a, b) => a.seq - b.seq);
  for (const { seq, hash } of stored) {
    const last = ranges.at(-1);
    if (last !== undefined && (seq === last[1] + 1 || seq === last[1])) {
      ranges[ranges.length - 1] = [last[0], seq, hash];
    } else {
      ranges.push([seq, seq, hash]);
    }
  }
  const rejects = entries
    .filter((entry) => entry.type === 'rejected')
    .map(({ seq, hash, code }) => [seq, hash, code] as const);
  const head = entries.filter((entry) => entry.type === 'head').sort((a, b) => b.seq - a.seq)[0];
  const stated = ranges.slice(0, LIMITS.receiptRangesMax - 1);
  if (head !== undefined && !stated.some(([, to]) => to === head.seq)) stated.push([head.seq, head.seq, head.hash]);
  return signReceipt(suite, signer, epoch, {
    ranges: stated,
    ...(rejects.length === 0 ? {} : { rejects: rejects.slice(0, LIMITS.receiptRejectsMax) }),
    ...(pacing === null ? {} : { pacing }),
  });
}

/** Signs a receipt with exactly these ranges. */
export function signReceipt(
  suite: CryptoSuite,
  signer: Signer,
  { version, device, epoch, claimHash }: ReceiptInput['epoch'],
  stated: Pick<AnyReceipt, 'ranges' | 'rejects' | 'pacing'>,
): Uint8Array {
  const place = { device, epoch, claimHash };
  return signBytes(anyReceiptKind, suite, signer, {
    ...(version === 2 ? { version } : {}),
    ...place,
    ...stated,
  });
}
