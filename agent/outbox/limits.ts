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
 * The drop policy: pictures of the oldest first, their hash stays in the record; then the oldest records, but no accept.
 * Each drop is counted and noted as a loss in the transaction of the caller.
 * With a clock in doubt nothing is dropped for its age. What was recorded in this boot is as old as the monotonic clock
 * says, so that a time server cannot empty the queue by lying about the year.
 */
export function enforceLimits(
  queries: Queries,
  losses: PendingLosses,
  limits: OutboxLimits,
  now: SealcamRecord['time'],
  /** Null for a record that the disk has spoiled. */
  timeOf: (record: RecordRow) => SealcamRecord['time'] | null,
): void {
  for (let i = 0; i < DROPS_MAX && (queries.device.get()?.queued_bytes ?? 0) > limits.maxBytes; i++) {
    if (!dropOldestMedia(queries, losses)) dropOldestRecord(queries, losses, 'full');
  }
  if (now.quality !== 'ntp' || now.wallMs === null) return;
  for (let i = 0; i < DROPS_MAX; i++) {
    const oldest = queries.firstRecord.get();
    const producedMs = oldest?.wall_ms ?? null;
    if (oldest === undefined || producedMs === null || now.wallMs - producedMs <= limits.maxAgeMs) return;
    const made = timeOf(oldest);
    if (made !== null && equal(made.boot, now.boot) && now.monotonicMs - made.monotonicMs <= limits.maxAgeMs) return;
    dropOldestRecord(queries, losses, 'age');
  }
}

function dropOldestMedia(queries: Queries, losses: PendingLosses): boolean {
  const oldest = queries.oldestMedia.get();
  if (oldest === undefined) return false;
  const { epoch, seq } = oldest;
  // A closed epoch can sign no loss any more, and a record whose missing picture nobody named is never receipted.
  if (queries.epoch.get(epoch)?.is_open !== 1) return false;
  const bytes = queries.mediaBytes.get(epoch, seq)?.bytes ?? 0;
  for (const { media_id } of queries.media.all(epoch, seq)) losses.addMedia(epoch, 'full', media_id, seq);
  queries.deleteMedia.run(epoch, seq);
  queries.addQueued.run(0, -bytes);
  return true;
}

function dropOldestRecord(queries: Queries, losses: PendingLosses, reason: 'full' | 'age'): void {
  const oldest: RecordRow | undefined = queries.firstRecord.get();
  if (oldest === undefined) return;
  const { epoch, seq } = oldest;
  const bytes = oldest.bytes.length + (queries.mediaBytes.get(epoch, seq)?.bytes ?? 0);
  queries.deleteRange.run(epoch, seq, seq);
  queries.addQueued.run(-1, -bytes);
  queries.count.run(0, 0, 1, epoch);
  losses.addRange(epoch, reason, seq, seq);
  losses.restorePending(epoch, seq, seq);
}
