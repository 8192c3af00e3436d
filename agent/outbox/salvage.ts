import { equal } from '../../common/bytes.js';
import type { Database } from './database.js';
import { migrate } from './migrations.js';
import type { MirrorState } from './mirror.js';
import type { Outbox } from './outbox.js';
import type { EpochRow, LossRow, MediaRow, RecordRow } from './queries.js';

const HASH_BYTES = 32;
const ROWS_PER_PAGE_MAX = 16;

/**
 * Takes over what can still be read of a damaged database, in one transaction, and says what cannot.
 * Row by row, since one bad page ends a whole scan. What is copied is checked against its signature when it is read.
 *
 * @returns records taken over, and lost
 */
export function salvage(
  outbox: Outbox,
  old: Database,
  published: MirrorState | null,
): { readonly found: number; readonly lost: number } {
  // The columns of an older schema, where it still can be brought up to date.
  undefinedOnError(() => {
    migrate(old);
  });
  return outbox.transaction(() => {
    const { queries } = outbox;
    const device = rows<{ last_epoch: number; last_claim_hash: Uint8Array | null; is_fresh: number }>(old, 'device')[0];
    const epochs = readableEpochs(outbox, old, published);
    for (const row of epochs) {
      queries.insertEpoch.run(row.epoch, row.claim, row.claim_hash, row.head_hash);
      queries.restoreEpoch.run(
        row.is_open,
        row.accept_receipted,
        row.head_seq,
        row.produced,
        row.receipted,
        row.quarantined,
        row.lost,
        row.stopped,
        row.command_counter,
        row.epoch,
      );
    }
    const newest = epochs.at(-1);
    queries.setEpoch.run(
      Math.max(device?.last_epoch ?? 0, newest?.epoch ?? 0),
      device?.last_claim_hash ?? newest?.claim_hash ?? null,
    );
    if (device !== undefined) queries.setFresh.run(device.is_fresh);
    for (const { action, command } of rows<{ action: string; command: Uint8Array }>(old, 'standing_order')) {
      queries.setOrder.run(action, command);
    }
    for (const { epoch, seq, code, bytes } of rows<RecordRow & { code: string }>(old, 'quarantine')) {
      queries.quarantine.run(epoch, seq, code, bytes);
    }
    const isPendingWhole = eachRow<LossRow>(old, 'pending_loss', (loss) => {
      queries.restoreLoss.run(
        loss.epoch,
        loss.reason,
        loss.from_seq,
        loss.to_seq,
        loss.media_id,
        loss.count,
        loss.said_seq,
      );
    });
    const found = copyRecords(outbox, old, new Set(epochs.map(({ epoch }) => epoch)));
    const lost = epochs.reduce((sum, row) => sum + balance(outbox, row, isPendingWhole), 0);
    outbox.deleteDrained();
    return { found, lost };
  });
}

/** All rows of a small table, as far as they can be read. */

function rows<Row>(old: Database, table: string): Row[] {
  const out: Row[] = [];
  eachRow<Row>(old, table, (row) => out.push(row));
  return out;
}

/** Calls back for every row that can be read, in the order of insertion; false where some could not be. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows the table
function eachRow<Row>(old: Database, table: string, use: (row: Row) => void): boolean {
  const last = undefinedOnError(() =>
    old.prepare<[], { last: number | null }>(`SELECT max(rowid) AS last FROM ${table}`).get(),
  );
  const next = undefinedOnError(() =>
    old.prepare<[number], Row & { place: number }>(
      `SELECT rowid AS place, * FROM ${table} WHERE rowid >= ? ORDER BY rowid LIMIT 1`,
    ),
  );
  if (next === undefined) return false;
  // Where not even the end can be found, as many as may fit into the file.
  const pages = undefinedOnError(() => old.pragma('page_count', { simple: true }) as number) ?? 0;
  const end = last === undefined ? pages * ROWS_PER_PAGE_MAX : (last.last ?? 0);
  let isWhole = last !== undefined;
  for (let place = 0; place <= end; place++) {
    const from = place;
    const row = undefinedOnError(() => next.get(from) ?? null);
    if (row === null) return isWhole;
    if (row === undefined) {
      isWhole = false;
      continue;
    }
    place = row.place;
    use(row);
  }
  return isWhole;
}

function undefinedOnError<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

/** Epochs with the claim that they name, in their order; that of the mirror where it is not among them. */
function readableEpochs({ signer }: Outbox, old: Database, published: MirrorState | null): EpochRow[] {
  const found = rows<EpochRow>(old, 'epoch').filter((row) => {
    const claim = undefinedOnError(() => signer.openClaim(new Uint8Array(row.claim)));
    return claim !== undefined && equal(claim.hash, new Uint8Array(row.claim_hash)) && claim.value.epoch === row.epoch;
  });
  const isMissing =
    published !== null && published.claim.length > 0 && !found.some((row) => row.epoch >= published.epoch);
  if (isMissing) {
    found.push({
      epoch: published.epoch,
      claim: published.claim,
      claim_hash: published.claimHash,
      is_open: 1,
      accept_receipted: 0,
      head_seq: -1,
      head_hash: published.claimHash,
      stopped: 0,
      command_counter: 0,
      produced: 0,
      receipted: 0,
      quarantined: 0,
      lost: 0,
    });
  }
  // An older one that was open was closed in pages that are gone.
  return found
    .sort((a, b) => a.epoch - b.epoch)
    .map((row, i) => (i === found.length - 1 ? row : { ...row, is_open: 0 }));
}

function copyRecords(outbox: Outbox, old: Database, epochs: ReadonlySet<number>): number {
  const { queries } = outbox;
  const media = undefinedOnError(() =>
    old.prepare<[number, number], MediaRow>(
      'SELECT position, media_id, header, body FROM media WHERE epoch = ? AND seq = ? ORDER BY position',
    ),
  );
  let found = 0;
  eachRow<RecordRow>(old, 'record', ({ epoch, seq, hash, bytes, wall_ms: wallMs }) => {
    const isWhole = epochs.has(epoch) && hash.length === HASH_BYTES && queries.record.get(epoch, seq) === undefined;
    if (!isWhole) return;
    queries.insertRecord.run(epoch, seq, hash, bytes, wallMs);
    let size = bytes.length;
    for (const { position, media_id: id, header, body } of undefinedOnError(() => media?.all(epoch, seq)) ?? []) {
      queries.insertMedia.run(epoch, seq, position, id, header, body);
      size += header.length + body.length;
    }
    queries.addQueued.run(1, size);
    found++;
  });
  return found;
}

/** Brings the counts of an epoch and its head in line with what is there; what is missing is counted and said. */
function balance({ queries, losses }: Outbox, row: EpochRow, isPendingWhole: boolean): number {
  const { epoch } = row;
  const seqs = queries.seqs.all(epoch).map(({ seq }) => seq);
  const top = queries.record.get(epoch, seqs.at(-1) ?? -1);
  if (top !== undefined && top.seq > row.head_seq) queries.moveHead.run(top.seq, top.hash, epoch);
  const head = Math.max(row.head_seq, top?.seq ?? -1);
  const produced = head + 1;
  const quarantined = Math.min(row.quarantined, produced - seqs.length);
  const gone = produced - seqs.length - quarantined;
  const receipted = Math.min(row.receipted, gone);
  const lost = gone - receipted;
  queries.restoreCounts.run(produced, receipted, quarantined, lost, epoch);
  const missing = Math.max(0, lost - row.lost);
  // Losses that nobody had said yet may have been on a page that is gone: then all is said again.
  if (missing === 0 && isPendingWhole) return 0;
  if (row.is_open === 0) {
    if (missing > 0) losses.addRange(epoch, 'corrupt', 1, missing);
    return missing;
  }
  // Which of those that are not here were receipted, nobody knows; a range may name some that are in the cloud.
  const here = new Set(seqs);
  losses.addSeqs(
    epoch,
    'corrupt',
    Array.from({ length: produced }, (_, seq) => seq).filter((seq) => !here.has(seq)),
  );
  return missing;
}
