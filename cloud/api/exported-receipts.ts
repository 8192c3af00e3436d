import { LIMITS } from '../../common/limits.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import type { ClaimRow, CloudStore } from '../store/store.js';
import type { ReceiptSigners } from '../trust/receipt-signers.js';
import { signReceipt } from '../trust/receipts.js';
import type { ReadRecord } from './reader.js';

export interface ExportedReceiptsDependencies {
  readonly store: Pick<CloudStore, 'records'>;
  readonly suite: CryptoSuite;
  readonly signers: ReceiptSigners;
}

/**
 * Signs again what receipts said, for the records of an export or of a reader who makes evidence, as they are read: receipts are not
 * kept. A receipt makes a camera delete, so only what this read found stored whole is in one. Each record is named by its own hash: evidence shows a few of
 * them, and the hash at the end of a longer range would say nothing of those.
 */
export class ExportedReceipts {
  private readonly deps: ExportedReceiptsDependencies;
  private row: ClaimRow | null = null;
  private ranges: (readonly [from: number, to: number, hash: Uint8Array])[] = [];

  constructor(deps: ExportedReceiptsDependencies) {
    this.deps = deps;
  }

  /**
   * Adds a record with its objects, null for one that is missing. Returns the receipt of those before it where they are of
   * another epoch, or as many as one receipt names.
   */
  async add(
    row: ClaimRow,
    { record }: ReadRecord,
    media: readonly (SealedObject | null)[],
  ): Promise<Uint8Array | null> {
    const isFull = this.row !== row || this.ranges.length === LIMITS.receiptRangesMax;
    const before = isFull ? this.finish() : null;
    this.row = row;
    const { value, hash } = record;
    if (await this.isWhole(value, media)) this.ranges.push([value.seq, value.seq, hash]);
    return before;
  }

  /** Returns the receipt of the records since the last one; null without any, or where the claim names no key of this cloud. */
  finish(): Uint8Array | null {
    const { row, ranges } = this;
    this.ranges = [];
    if (row === null || ranges.length === 0) return null;
    const signer = this.deps.signers.forClaim(row.claimHash, row.claim);
    return signer === null ? null : signReceipt(this.deps.suite, signer, row, { ranges });
  }

  private async isWhole(record: AnyRecord, media: readonly (SealedObject | null)[]): Promise<boolean> {
    const { device, epoch } = record;
    for (const [i, { id }] of (record.media ?? []).entries()) {
      if ((media[i] ?? null) === null && !(await this.deps.store.records.isLossSigned(device, epoch, id))) return false;
    }
    return true;
  }
}
