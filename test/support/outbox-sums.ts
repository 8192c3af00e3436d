import type { Outbox } from '../../agent/outbox/outbox.js';
import { storeOf } from './outbox-store.js';

interface Counted {
  readonly records: number;
  readonly bytes: number;
}

/**
 * Checks produced = receipted + queued + quarantined + lost for every epoch. `queued` is counted from the rows, since the
 * outbox's own total is a difference that always fits. Returns every breach as a sentence; empty if the sums are right.
 */
export function brokenSums(outbox: Outbox): string[] {
  const db = storeOf(outbox).queries.device.database;
  const broken: string[] = [];
  for (const row of storeOf(outbox).queries.epochs.all()) {
    const { epoch, produced, receipted, quarantined, lost, head_seq: head } = row;
    const count = db.prepare<[number], Counted>('SELECT count(*) AS records, 0 AS bytes FROM record WHERE epoch = ?');
    const queued = count.get(epoch)?.records ?? 0;
    if (produced !== receipted + queued + quarantined + lost) {
      broken.push(
        `epoch ${String(epoch)}: produced ${String(produced)} is not receipted ${String(receipted)} + queued ` +
          `${String(queued)} + quarantined ${String(quarantined)} + lost ${String(lost)}`,
      );
    }
    if (produced !== head + 1)
      broken.push(`epoch ${String(epoch)}: produced ${String(produced)}, head ${String(head)}`);
  }
  const all = db.prepare<[], Counted>(
    `SELECT (SELECT count(*) FROM record) AS records,
       (SELECT coalesce(sum(length(bytes)), 0) FROM record) +
       (SELECT coalesce(sum(length(header) + length(body)), 0) FROM media) AS bytes`,
  );
  const { records, bytes } = all.get() ?? { records: 0, bytes: 0 };
  const counted = outbox.queued();
  if (counted.records !== records) {
    broken.push(`the outbox counts ${String(counted.records)} records, it holds ${String(records)}`);
  }
  if (counted.bytes !== bytes)
    broken.push(`the outbox counts ${String(counted.bytes)} bytes, it holds ${String(bytes)}`);
  return broken;
}
