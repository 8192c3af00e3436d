/** What the stores keep of version 2: which periods a record needs, and the KEM keys of a claim. */
import { concat, toHex } from '../../common/bytes.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import { KEM_KEY_BYTES } from '../../protocol/objects/ids.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import { decodeObjectHeader } from '../../protocol/seal/object.js';
import { segmentsIn } from './segments.js';
import type { NewMedia } from './store.js';

/**
 * Returns the ids of the periods that a record needs: of the objects that it brings, and of the segments that it names.
 * Headers that nobody can read need none.
 */
export function periodsUsed(record: AnyRecord, media: readonly NewMedia[]): readonly Uint8Array[] {
  if (record.version === undefined) return [];
  const headers = [
    ...media.map(({ sealed }) => sealed.header),
    ...segmentsIn(record).map(([, , , , header]) => header),
  ];
  const used = new Map<string, Uint8Array>();
  for (const header of headers) {
    const periodId = periodOf(header);
    if (periodId !== null) used.set(toHex(periodId), periodId);
  }
  return [...used.values()];
}

function periodOf(header: Uint8Array): Uint8Array | null {
  try {
    return decodeObjectHeader(header).periodId;
  } catch {
    // A key record's own header is empty; another one is the reader's to refuse.
    return null;
  }
}

export interface NamedKemKey {
  readonly hash: Uint8Array;
  readonly key: Uint8Array;
}

/** Returns those of the keys that the claim names, with their hashes. */
export function namedKemKeys(claim: AnyClaim, keys: readonly Uint8Array[]): readonly NamedKemKey[] {
  const named = new Set(kemHashesOf(claim).map(toHex));
  const hashed = keys.map((key) => ({ hash: kemHash(nodeSuite, key), key }));
  return hashed.filter(({ hash }) => named.has(toHex(hash)));
}

/** Returns the hashes of the KEM keys that a claim names, in its order; none for one of version 1. */
export function kemHashesOf(claim: AnyClaim): readonly Uint8Array[] {
  return isVersionTwo(claim) ? claim.recipients.map(({ kem }) => kem) : [];
}

/** Returns KEM keys as one column holds them; null without any. */
export function kemColumn(keys: readonly Uint8Array[] | undefined): Uint8Array | null {
  return keys === undefined ? null : concat(...keys);
}

/** Returns the KEM keys of a column; undefined where it has none. */
export function kemKeysIn(column: Uint8Array | null): readonly Uint8Array[] | undefined {
  if (column === null) return undefined;
  return Array.from(
    { length: column.length / KEM_KEY_BYTES },
    (_, i) => new Uint8Array(column.subarray(i * KEM_KEY_BYTES, (i + 1) * KEM_KEY_BYTES)),
  );
}
