interface StoredSeq {
  readonly seq: number;
  readonly receivedAtMs: number;
}

/**
 * Returns what retention may delete of an epoch: the records below a seq that were received before `beforeMs`. A record
 * that has not expired stops it, so that no hole lies above the floor; one that arrived late, below the floor that the
 * epoch has already, stays without stopping it.
 *
 * @param lowest the epoch's lowest seqs above 0, ascending; the last one stays
 * @param floorSeq the epoch's floor, or 0
 * @returns null if nothing may go
 */
export function expiryOf(
  lowest: readonly StoredSeq[],
  floorSeq: number,
  beforeMs: number,
): { readonly belowSeq: number; readonly records: number } | null {
  let belowSeq = lowest.at(-1)?.seq ?? 0;
  let records = 0;
  for (const { seq, receivedAtMs } of lowest.slice(0, -1)) {
    if (receivedAtMs < beforeMs) records++;
    else if (seq >= floorSeq) {
      belowSeq = seq;
      break;
    }
  }
  return records === 0 ? null : { belowSeq, records };
}
