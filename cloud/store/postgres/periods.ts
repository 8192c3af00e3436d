import { equal, toHex } from '../../../common/bytes.js';
import { epochKey } from '../../../protocol/objects/ids.js';
import { periodsUsed } from '../periods.js';
import type { EpochKey } from '../store.js';
import type { Session } from './database.js';
import type { NewRecord } from './new-record.js';
import { tuples } from './statements.js';

interface PeriodColumns extends EpochKey {
  readonly period_id: Uint8Array;
  readonly hash: Uint8Array;
}

function periodKey({ device, epoch }: EpochKey, periodId: Uint8Array): string {
  return `${epochKey(device, epoch)}/${toHex(periodId)}`;
}

/**
 * Notes the first key record of each period, and returns the key records of periods that have another one. Asked after the
 * insertion: the unique key has decided by then, also between workers.
 */
export async function withOtherKeyRecord(
  session: Session,
  jobs: readonly NewRecord[],
): Promise<ReadonlySet<NewRecord>> {
  const named = jobs.flatMap((job) => {
    const { value, hash } = job.record;
    if (value.key === undefined) return [];
    const { device, epoch, seq, key } = value;
    return [{ job, name: periodKey(value, key.periodId), row: [device, epoch, key.periodId, seq, hash] }];
  });
  if (named.length === 0) return new Set();
  const { text, values } = tuples(
    ['bytea', 'bigint', 'bytea', 'bigint', 'bytea'],
    // In the order of the key, so that two workers cannot deadlock.
    [...named].sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ row }) => row),
  );
  await session.execute(
    `INSERT INTO period (device, epoch, period_id, seq, hash) SELECT * FROM (VALUES ${text}) AS input
     ON CONFLICT DO NOTHING`,
    values,
  );
  const keys = tuples(
    ['bytea', 'bigint', 'bytea'],
    named.map(({ row }) => row.slice(0, 3)),
  );
  const rows = await session.rows<PeriodColumns>(
    `SELECT device, epoch, period_id, hash FROM period WHERE (device, epoch, period_id) IN (VALUES ${keys.text})`,
    keys.values,
  );
  const first = new Map(rows.map((row) => [periodKey(row, row.period_id), row.hash]));
  return new Set(
    named.filter(({ job, name }) => !equal(first.get(name) ?? job.record.hash, job.record.hash)).map(({ job }) => job),
  );
}

/** Notes which periods the records need that were stored, and the objects that came for those that were there. */
export async function insertPeriodUses(session: Session, jobs: readonly NewRecord[]): Promise<void> {
  const rows = jobs.flatMap(({ record: { value }, media }) =>
    periodsUsed(value, media).map((periodId) => [value.device, value.epoch, value.seq, periodId]),
  );
  if (rows.length === 0) return;
  const { text, values } = tuples(['bytea', 'bigint', 'bigint', 'bytea'], rows);
  await session.execute(
    `INSERT INTO period_use (device, epoch, seq, period_id)
     SELECT * FROM (VALUES ${text}) AS input (device, epoch, seq, period_id) ORDER BY device, epoch, seq, period_id
     ON CONFLICT DO NOTHING`,
    values,
  );
}
