/**
 * Key records in the outbox. Nobody can open what was sealed in a period without its key record, so it is here before the first
 * object, in two copies, and stays until nothing in the queue needs it: no limit, damage or reject removes it before.
 */
import { equal } from '../../common/bytes.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { PeriodRow, Queries, RecordRow } from './queries.js';
import { openRow, type Place } from './queued.js';
import type { OutboxStore } from './store.js';

/** Returns whether a period may be used: its key record is here, or has its receipt. */
export function hasPeriod(store: OutboxStore, epoch: number, periodId: Uint8Array): boolean {
  return store.reading(() => store.queries.periodById.get(epoch, periodId)) !== undefined;
}

/** Puts a damaged key record and its object back from the second copy. Returns the row, undefined without a sound copy. */
export function repairKey(store: OutboxStore, { epoch, seq }: Place): RecordRow | undefined {
  return store.transaction(() => {
    const { queries } = store;
    const copy = queries.period.get(epoch, seq);
    const before = queries.record.get(epoch, seq);
    const whole = copy === undefined ? null : wholeCopy(store, copy);
    if (whole === null || before === undefined) return undefined;
    const sizeBefore = store.sizeOf(before);
    queries.restoreRecord.run({ epoch, seq, hash: whole.record.hash, bytes: whole.record.bytes });
    queries.deleteMedia.run(epoch, seq);
    insertObject(queries, { epoch, seq }, whole);
    const row = queries.record.get(epoch, seq);
    if (row !== undefined) queries.addQueued.run(0, store.sizeOf(row) - sizeBefore);
    return row;
  });
}

/**
 * Restores the periods of a salvaged database: what the old table still says, and what the key records themselves say. A key
 * record that is gone comes back from its second copy. Returns how many did. Call it in a transaction.
 */
export function restorePeriods(store: OutboxStore, periods: readonly PeriodRow[]): number {
  const { queries } = store;
  let restored = 0;
  for (const period of periods) {
    const { epoch, seq, period_id: periodId, record, body } = period;
    if (queries.epoch.get(epoch) === undefined) continue;
    queries.insertPeriod.run({ epoch, seq, periodId, record, body });
    const whole = wholeCopy(store, period);
    if (whole === null) continue;
    const row = queries.record.get(epoch, seq);
    if (row !== undefined) {
      const sound = openRow(row, store) !== null && (queries.mediaBytes.get(epoch, seq)?.bytes ?? 0) === body?.length;
      if (!sound) repairKey(store, { epoch, seq });
      continue;
    }
    const { hash, bytes, value } = whole.record;
    queries.insertRecord.run({ epoch, seq, hash, bytes, wallMs: value.time.wallMs });
    insertObject(queries, { epoch, seq }, whole);
    queries.addQueued.run(1, bytes.length + whole.body.length);
    restored++;
  }
  for (const { body, ...row } of queries.keyMedia.all()) {
    const periodId = openRow(row, store)?.value.key?.periodId;
    const { epoch, seq, bytes } = row;
    if (periodId !== undefined) queries.insertPeriod.run({ epoch, seq, periodId, record: bytes, body });
  }
  queries.useAllPeriods.run();
  return restored;
}

interface WholeCopy {
  readonly record: Verified<AnyRecord>;
  readonly mediaId: Uint8Array;
  readonly body: Uint8Array;
}

function wholeCopy(store: OutboxStore, { epoch, seq, record, body }: PeriodRow): WholeCopy | null {
  if (record === null || body === null) return null;
  let opened: Verified<AnyRecord>;
  try {
    opened = store.signer.openRecord(new Uint8Array(record));
  } catch {
    return null;
  }
  const [media] = opened.value.media ?? [];
  const isIt = opened.value.epoch === epoch && opened.value.seq === seq && media?.role === 'key';
  if (!isIt || !equal(store.sha256(new Uint8Array(body)), media.bodyHash)) return null;
  return { record: opened, mediaId: media.id, body: new Uint8Array(body) };
}

function insertObject(queries: Queries, { epoch, seq }: Place, { mediaId, body }: WholeCopy): void {
  queries.insertMedia.run({ epoch, seq, position: 0, mediaId, header: new Uint8Array(0), body });
}
