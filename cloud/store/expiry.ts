import { nodeSuite } from '../../protocol/crypto/node.js';
import { anyRecordKind } from '../../protocol/objects/record.js';
import { openSigned } from '../../protocol/objects/signed-object.js';

/** A record that is about to expire. */
export interface Aged {
  readonly seq: number;
  /** From when its retention counts: its receive time, or a later one that was found before. */
  readonly agedFromMs: number;
  /** Null where the bytes are gone. */
  readonly bytes: Uint8Array | null;
}

/** A record that stays: its camera signed under network time that it was made at `madeAtMs`. */
export interface Held {
  readonly seq: number;
  readonly madeAtMs: number;
}

export interface Expiry {
  readonly belowSeq: number;
  readonly records: number;
  /** The highest seq below `belowSeq` that may go; 0 without any. */
  readonly lastSeq: number;
  /** Records that are younger than their receive time says. */
  readonly held: readonly Held[];
}

/** How far a search for what has expired in an epoch goes. */
export interface ExpiryLimits {
  readonly beforeMs: number;
  readonly nowMs: number;
  /** Records. */
  readonly limit: number;
}

/**
 * Returns what retention may delete of an epoch: the records below a seq that were received before `beforeMs` and also
 * made before it, where their camera signed so under network time. A signed time after `nowMs` cannot be and counts for
 * nothing. A record that stays stops it, so that no hole lies above the floor; one that arrived late, below the floor that
 * the epoch has already, stays without stopping it.
 *
 * @param lowest the epoch's lowest seqs above 0, ascending, without key records; the last one stays
 * @param floorSeq the epoch's floor, or 0
 */
export function expiryOf(lowest: readonly Aged[], floorSeq: number, beforeMs: number, nowMs: number): Expiry {
  let belowSeq = lowest.at(-1)?.seq ?? 0;
  let records = 0;
  let lastSeq = 0;
  const held: Held[] = [];
  for (const { seq, agedFromMs, bytes } of lowest.slice(0, -1)) {
    const madeAtMs = agedFromMs < beforeMs ? signedTimeOf(bytes) : null;
    const isHeld = madeAtMs !== null && madeAtMs >= beforeMs && madeAtMs <= nowMs;
    if (isHeld) held.push({ seq, madeAtMs });
    if (agedFromMs < beforeMs && !isHeld) {
      records++;
      lastSeq = seq;
    } else if (seq >= floorSeq) {
      belowSeq = seq;
      break;
    }
  }
  return { belowSeq, records, lastSeq, held };
}

/** Returns the time that a camera signed under network time; null where it had none, or where nothing can be read. */
export function signedTimeOf(bytes: Uint8Array | null): number | null {
  if (bytes === null) return null;
  try {
    const { quality, wallMs } = openSigned(anyRecordKind, nodeSuite, new Uint8Array(bytes)).value.time;
    return quality === 'ntp' ? wallMs : null;
  } catch {
    return null;
  }
}
