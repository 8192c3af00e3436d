import { equal, toHex } from '../../../common/bytes.js';
import type { CloudStore, StoredRecord } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { anyRecordKind } from '../../../protocol/objects/record.js';
import type { RecordKindV2 } from '../../../protocol/objects/record-kinds.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';

export interface InspectedRecord {
  /** SHA-256 of the record, in hex. */
  readonly hash: string;
  readonly kind: RecordKindV2;
  /** Whether the record, its place in the store and the claim all name this account. */
  readonly isBound: boolean;
  /** Pictures that the record names and the store does not have. */
  readonly missingMedia: number;
}

/**
 * Checks one stored record from outside: its signature, and that it is filed under the camera, epoch and account that
 * signed and claimed it.
 */
export async function inspectStored(
  store: CloudStore,
  stored: StoredRecord,
  /** Hex of the account that claimed the camera, as the campaign itself did it. */
  account: string,
  /** Account of the claim row. */
  rowAccount: Uint8Array | undefined,
): Promise<InspectedRecord> {
  const { value, hash } = openSigned(anyRecordKind, nodeSuite, stored.bytes);
  const isBound =
    equal(value.device, stored.device) &&
    value.epoch === stored.epoch &&
    toHex(value.account) === account &&
    rowAccount !== undefined &&
    toHex(rowAccount) === account;
  const ids = (value.media ?? []).map(({ id }) => id);
  const present = await store.records.mediaPresent(value.device, value.epoch, value.seq, ids);
  return { hash: toHex(hash), kind: value.kind, isBound, missingMedia: present.filter((isThere) => !isThere).length };
}
