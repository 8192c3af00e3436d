import { nodeSuite } from '../../protocol/crypto/node.js';
import { recordKind } from '../../protocol/objects/record.js';
import { openSigned } from '../../protocol/objects/signed-object.js';
import type { EpochKey } from './store.js';

/** A record whose receive time says that it has expired. */
export interface Expired extends EpochKey {
  readonly seq: number;
  /** Null where the bytes are gone. */
  readonly bytes: Uint8Array | null;
}

/** A record that stays: its camera signed under network time that it was made at `madeAtMs`. */
export interface Held<R extends Expired> {
  readonly record: R;
  readonly madeAtMs: number;
}

/** Divides expired records into those to delete and those that are younger than their receive time says. */
export function divideExpired<R extends Expired>(
  records: readonly R[],
  beforeMs: number,
  nowMs: number,
): { readonly due: readonly R[]; readonly held: readonly Held<R>[] } {
  const held: Held<R>[] = [];
  for (const record of records) {
    const madeAtMs = signedTimeOf(record.bytes);
    if (madeAtMs !== null && madeAtMs >= beforeMs && madeAtMs <= nowMs) held.push({ record, madeAtMs });
  }
  // Records of an epoch go in their order: what follows a record that stays, stays with it.
  const isBehind = (record: R): boolean =>
    held.some(
      ({ record: kept }) =>
        kept.seq <= record.seq && kept.epoch === record.epoch && Buffer.compare(kept.device, record.device) === 0,
    );
  return { due: held.length === 0 ? records : records.filter((record) => !isBehind(record)), held };
}

/** Returns the time that a camera signed under network time; null where it had none, or where nothing can be read. */
function signedTimeOf(bytes: Uint8Array | null): number | null {
  if (bytes === null) return null;
  try {
    const { quality, wallMs } = openSigned(recordKind, nodeSuite, new Uint8Array(bytes)).value.time;
    return quality === 'ntp' ? wallMs : null;
  } catch {
    return null;
  }
}
