import { equal } from '../../common/bytes.js';
import { LIMITS } from '../../common/limits.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import type { Queries } from './queries.js';

/** One more than an order may have behind it, so that the oldest mark kept decides. */
const MARKS_MAX = LIMITS.commandMaxHealth + 1;

/**
 * Marks a health record, unless one of the same quarter of an hour is marked: a camera that reports more often must
 * not make its owner's orders old.
 */
export function markHealth(queries: Queries, epoch: number, seq: number, { boot, monotonicMs }: RecordTime): void {
  const quarter = Math.floor(monotonicMs / LIMITS.healthCadenceMs);
  const newest = queries.newestHealthMark.get(epoch);
  if (newest?.quarter === quarter && equal(new Uint8Array(newest.boot), boot)) return;
  queries.insertHealthMark.run({ epoch, seq, boot, quarter });
  queries.trimHealthMarks.run({ epoch, keep: MARKS_MAX });
}
