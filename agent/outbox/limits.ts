import { equal } from '../../common/bytes.js';
import type { LossReason, RecordTime } from '../../protocol/objects/record.js';
import { openRow, type Place } from './queued.js';
import type { OutboxStore } from './store.js';

/** Drops per transaction and per limit: a limit that was lowered far is reached over several transactions. */
const DROPS_MAX = 256;

/**
 * Drops what exceeds the limits, each drop counted and added to the pending losses. Call it in a transaction.
 *
 * Too many bytes: pictures of the oldest records go first (their hash stays in the record), then the oldest records.
 * Too old: the oldest records, but only under network time. A record of this boot is as old as the monotonic clock says,
 * so that a time server cannot empty the outbox by lying about the year. An accept is never dropped, nor a key record that
 * something here needs.
 */
export function enforceLimits(store: OutboxStore, now: RecordTime): void {
  const { queries, limits } = store;
  for (let i = 0; i < DROPS_MAX && (queries.device.get()?.queued_bytes ?? 0) > limits.maxBytes; i++) {
    if (dropOldestMedia(store)) continue;
    const oldest = queries.oldestDroppable.get();
    if (oldest !== undefined) store.dropRecord(oldest, 'full');
  }
  if (now.quality !== 'ntp' || now.wallMs === null) return;
  for (let i = 0; i < DROPS_MAX; i++) {
    const oldest = queries.oldestDroppable.get();
    const producedMs = oldest?.wall_ms ?? null;
    if (oldest === undefined || producedMs === null || now.wallMs - producedMs <= limits.maxAgeMs) return;
    // Null for a record that is corrupted on disk.
    const made = openRow(oldest, store)?.value.time ?? null;
    if (made !== null && equal(made.boot, now.boot) && now.monotonicMs - made.monotonicMs <= limits.maxAgeMs) return;
    store.dropRecord(oldest, 'age');
  }
}

/** Gives up the pictures of a record or the record, and counts the loss. See {@link Outbox.giveUp}. */
export function giveUp(store: OutboxStore, place: Place, what: 'media' | 'record'): 'media' | 'record' | null {
  return store.transaction(() => {
    const row = store.queries.record.get(place.epoch, place.seq);
    if (row === undefined || row.seq === 0 || store.isKeptKey(place)) return null;
    const isKey = store.queries.period.get(place.epoch, place.seq) !== undefined;
    if (what === 'media' && !isKey && dropMedia(store, place, 'too-large')) return 'media';
    store.dropRecord(row, 'too-large');
    store.deleteDrained();
    return 'record';
  });
}

function dropOldestMedia(store: OutboxStore): boolean {
  const oldest = store.queries.oldestDroppableMedia.get();
  return oldest !== undefined && dropMedia(store, oldest, 'full');
}

function dropMedia({ queries, losses }: OutboxStore, { epoch, seq }: Place, reason: LossReason): boolean {
  // A closed epoch can sign no loss, and a record whose missing picture nobody names is never receipted: drop it whole.
  if (queries.epoch.get(epoch)?.is_open !== 1) return false;
  const bytes = queries.mediaBytes.get(epoch, seq)?.bytes ?? 0;
  for (const { media_id } of queries.media.all(epoch, seq)) losses.addMedia(epoch, reason, media_id, seq);
  queries.deleteMedia.run(epoch, seq);
  queries.addQueued.run(0, -bytes);
  return true;
}
