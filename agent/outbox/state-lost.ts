import type { AnyRecord, RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { EpochRow } from './queries.js';
import type { OutboxStore } from './store.js';

/**
 * One reject moves a camera by no more seqs than this: years of records, and too few to matter. A cloud that moved a camera
 * every day would reach 2^53 after 23 million years.
 */
export const MOVE_SEQS_MAX = 1_048_576;
/** How long the camera must have run, over all its boots, before another reject moves it. */
export const MOVE_INTERVAL_MS = 24 * 60 * 60_000;

/** What a receipt shows of a history that this camera does not have. */
export interface OtherHistory {
  /** A record of this camera that was rejected because the cloud has another one for its seq. */
  readonly rejectedSeq: number;
  /** The highest seq that the receipt has as stored; -1 if it has none. */
  readonly headSeq: number;
}

/**
 * Goes on after the head of a receipt that rejected a record of this camera as `equivocation`: database and mirror were both
 * restored from an old image. Where the head is not ahead, the camera stays where it is, and its next record is a gap that
 * names the rejected seq. Returns the last seq that was given up, or null if nothing was signed: the epoch has ended, or
 * this happened within the last day.
 *
 * Call it in a transaction.
 */
export function movePast(
  store: OutboxStore,
  epoch: number,
  { rejectedSeq, headSeq }: OtherHistory,
  time: RecordTime,
): number | null {
  const { queries } = store;
  const row = queries.epoch.get(epoch);
  if (row?.is_open !== 1) return null;
  queries.addRun.run({ boot: time.boot, atMs: time.monotonicMs });
  const device = queries.device.get();
  const movedAtMs = device?.moved_run_ms ?? null;
  if (device === undefined || (movedAtMs !== null && device.run_ms - movedAtMs < MOVE_INTERVAL_MS)) return null;
  queries.setMoved.run();
  const { head_seq: head } = row;
  const to = Math.min(headSeq, head + MOVE_SEQS_MAX);
  goOnAfter(store, row, to > head ? [head + 1, to] : [rejectedSeq, rejectedSeq], time);
  return Math.max(head, to);
}

/**
 * Appends a gap with no record before it that names these seqs as lost state, after them and after the head. Seqs that are
 * skipped count as produced and lost. Call it in a transaction.
 */
export function goOnAfter(
  store: OutboxStore,
  row: EpochRow,
  [from, to]: readonly [from: number, to: number],
  time: RecordTime,
): Verified<AnyRecord> {
  const { queries } = store;
  const { epoch, head_seq: head } = row;
  const last = Math.max(head, to);
  // These were published and may be stored in the cloud.
  if (last > head) queries.addProducedAndLost.run({ epoch, records: last - head });
  store.losses.addSaid(epoch, 'state-lost', from, to, last + 1);
  const loss = [{ reason: 'state-lost', seqs: [from, to] as const }] as const;
  return store.insert({ ...row, head_seq: last }, { kind: 'gap', time, loss }, [], null);
}
