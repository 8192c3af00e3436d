import { equal } from '../../common/bytes.js';
import { isSealcamError } from '../../common/errors.js';
import type { RecordMedia, SealcamRecord } from '../../protocol/objects/record.js';
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
}

export interface Checks {
  readonly sha256: (data: Uint8Array) => Uint8Array;
  readonly openRecord: (bytes: Uint8Array) => Verified<SealcamRecord>;
}

/** The signed record of a row; null where it is not the one that was stored there: SQLite has no checksum of its pages. */
export function openRow(row: RecordRow, { openRecord }: Checks): Verified<SealcamRecord> | null {
  try {
    const record = openRecord(new Uint8Array(row.bytes));
    const { epoch, seq } = record.value;
    return epoch === row.epoch && seq === row.seq && equal(record.hash, new Uint8Array(row.hash)) ? record : null;
  } catch (error) {
    if (isSealcamError(error)) return null;
    throw error;
  }
}

/** A stored object in its place, if it is the one that the record names. */
export function openMedia(row: MediaRow, named: RecordMedia | undefined, { sha256 }: Checks): SealedObject | null {
  const sealed = { header: new Uint8Array(row.header), body: new Uint8Array(row.body) };
  const isNamed =
    named !== undefined && equal(sha256(sealed.body), named.bodyHash) && equal(sha256(sealed.header), named.headerHash);
  return isNamed ? sealed : null;
}
