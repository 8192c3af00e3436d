import { fileName } from '../../agent/outbox/bodies.js';
import type { Outbox } from '../../agent/outbox/outbox.js';
import { storeOf } from './outbox-store.js';

interface Counted {
  readonly records: number;
  readonly bytes: number;
}

/** Checks produced = receipted + queued + lost for the segments of an epoch. Returns the breach, if there is one. */
export function brokenSegments(outbox: Outbox, epoch: number): string[] {
  const { queries } = storeOf(outbox).segments;
  const { clip_made: made = 0, clip_kept: kept = 0, clip_lost: lost = 0 } = queries.counts.get(epoch) ?? {};
  const queued = queries.all.all().filter((row) => row.epoch === epoch).length;
  if (made === kept + queued + lost) return [];
  return [
    `epoch ${String(epoch)}: segments produced ${String(made)} is not receipted ${String(kept)} + queued ` +
      `${String(queued)} + lost ${String(lost)}`,
  ];
}

/** Returns the segments whose file is missing, and the files of none. */
export function strayBodies(outbox: Outbox): string[] {
  const { bodies, segments } = storeOf(outbox);
  const files = new Set(bodies.names());
  const rows = segments.queries.names.all().map((row) => fileName(row));
  const missing = rows.filter((name) => !files.delete(name)).map((name) => `${name} is missing`);
  return [...missing, ...[...files].map((name) => `${name} has no row`)];
}

/**
 * Checks produced = receipted + queued + quarantined + lost for every epoch. `queued` is counted from the rows, since the
 * outbox's own total is a difference that always fits. Returns every breach as a sentence; empty if the sums are right.
 */
export function brokenSums(outbox: Outbox): string[] {
  const store = storeOf(outbox);
  // Damage to this table shows when it is read: a repair installs another database.
  store.reading(() => store.segments.queries.all.all());
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
    broken.push(...brokenSegments(outbox, epoch));
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
