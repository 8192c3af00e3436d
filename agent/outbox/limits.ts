import { equal } from '../../common/bytes.js';
import type { SealcamRecord } from '../../protocol/objects/record.js';
import type { PendingLosses } from './losses.js';
import type { Queries, RecordRow } from './queries.js';

export interface OutboxLimits {
  /** Records and sealed media together. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** So many drops at most in one transaction: a limit that was lowered by much is reached over several. */
const DROPS_MAX = 256;

/**
 * The drop policy: pictures of the oldest first, their hash stays in the record; then the oldest records, but never an accept.
 * Each drop is counted and noted as a loss in the transaction of the caller.
 * With a clock in doubt nothing is dropped for its age. What was recorded in this boot is as old as the monotonic clock
 * says, so that a time server cannot empty the queue by lying about the year.
 */
export function enforceLimits(
  queries: Queries,
  losses: PendingLosses,
  limits: OutboxLimits,
  now: SealcamRecord['time'],
  open: (record: Uint8Array) => SealcamRecord,
): void {
  const drop = (reason: 'full' | 'age'): void => {
    dropOldestRecord(queries, losses, reason, open);
  };
  for (let i = 0; i < DROPS_MAX && (queries.device.get()?.queued_bytes ?? 0) > limits.maxBytes; i++) {
    if (!dropOldestMedia(queries, losses)) drop('full');
  }
  if (now.quality !== 'ntp' || now.wallMs === null) return;
  for (let i = 0; i < DROPS_MAX; i++) {
    const oldest = queries.firstDroppable.get();
    const producedMs = oldest?.wall_ms ?? null;
    if (oldest === undefined || producedMs === null || now.wallMs - producedMs <= limits.maxAgeMs) return;
    const { boot, monotonicMs } = open(new Uint8Array(oldest.bytes)).time;
    if (equal(boot, now.boot) && now.monotonicMs - monotonicMs <= limits.maxAgeMs) return;
    drop('age');
  }
}

function dropOldestMedia(queries: Queries, losses: PendingLosses): boolean {
  const oldest = queries.oldestMedia.get();
  if (oldest === undefined) return false;
  const { epoch, seq } = oldest;
  // A closed epoch can sign no loss any more, so a record of it without its picture would wait for ever: it goes as a whole.
  if (queries.openEpoch.get()?.epoch !== epoch) return false;
  const bytes = queries.mediaBytes.get(epoch, seq)?.bytes ?? 0;
  for (const { media_id } of queries.media.all(epoch, seq)) losses.addMedia(epoch, 'full', media_id);
  queries.deleteMedia.run(epoch, seq);
  queries.addQueued.run(0, -bytes);
  return true;
}

function dropOldestRecord(
  queries: Queries,
  losses: PendingLosses,
  reason: 'full' | 'age',
  open: (record: Uint8Array) => SealcamRecord,
): void {
  const oldest: RecordRow | undefined = queries.firstDroppable.get();
  if (oldest === undefined) return;
  const { epoch, seq } = oldest;
  const bytes = oldest.bytes.length + (queries.mediaBytes.get(epoch, seq)?.bytes ?? 0);
  queries.deleteRange.run(epoch, seq, seq);
  queries.addQueued.run(-1, -bytes);
  queries.count.run(0, 0, 1, epoch);
  const current = queries.openEpoch.get()?.epoch ?? epoch;
  // A later epoch cannot name the seqs of an earlier one; it says how many.
  if (current === epoch) losses.addRange(epoch, reason, seq, seq);
  else losses.addCount(current, reason, 1);
  // What a dropped record said of losses would be lost with it.
  for (const loss of open(new Uint8Array(oldest.bytes)).loss ?? []) losses.sayAgain(current, loss, current === epoch);
}
