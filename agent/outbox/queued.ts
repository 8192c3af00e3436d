import { equal } from '../../common/bytes.js';
import { isSealcamError } from '../../common/errors.js';
import type { RecordMediaV2 } from '../../protocol/objects/record-fields-v2.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import type { MediaRow, RecordRow } from './queries.js';

export interface Place {
  readonly epoch: number;
  readonly seq: number;
}

export interface QueuedRecord extends Place {
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
  /** In the order of the record's list; null where an object was dropped. */
  readonly media: readonly (SealedObject | null)[];
  /** Names segments of a clip. */
  readonly isClip: boolean;
}

/** What rows are verified with; an OutboxStore is one. */
export interface RowVerifier {
  readonly sha256: (data: Uint8Array) => Uint8Array;
  readonly signer: { openRecord(bytes: Uint8Array): Verified<AnyRecord> };
}

/**
 * Returns the signed record of a row, or null if the row does not hold the record that was stored there: SQLite keeps no
 * checksum of its pages.
 */
export function openRow(row: RecordRow, { signer }: RowVerifier): Verified<AnyRecord> | null {
  try {
    const record = signer.openRecord(new Uint8Array(row.bytes));
    const { epoch, seq } = record.value;
    return epoch === row.epoch && seq === row.seq && equal(record.hash, new Uint8Array(row.hash)) ? record : null;
  } catch (error) {
    if (isSealcamError(error)) return null;
    throw error;
  }
}

/** Returns the stored object if it is the one that the record names, else null. */
export function openMedia(
  row: MediaRow,
  named: RecordMediaV2 | undefined,
  { sha256 }: RowVerifier,
): SealedObject | null {
  const sealed = { header: new Uint8Array(row.header), body: new Uint8Array(row.body) };
  const isNamed =
    named !== undefined && equal(sha256(sealed.body), named.bodyHash) && equal(sha256(sealed.header), named.headerHash);
  return isNamed ? sealed : null;
}
