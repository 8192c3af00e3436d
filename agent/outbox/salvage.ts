import { equal } from '../../common/bytes.js';
import { migrate } from './migrations.js';
import type { MirrorState } from './mirror.js';
import { packKemKeys } from './epochs.js';
import { restorePeriods } from './periods.js';
import type { DeviceRow, EpochRow, LossRow, MediaRow, PeriodRow, RecordRow, StandingOrderRow } from './queries.js';
import type { SegmentCounts, SegmentRow } from './segment-queries.js';
import type { Database } from './sqlite.js';
import type { OutboxStore } from './store.js';

interface CounterRow {
  readonly epoch: number;
  readonly signer: Uint8Array;
  readonly counter: number;
}

/** Of an epoch in a database of an earlier schema. */
const NO_SEGMENTS: SegmentCounts = { clip_made: 0, clip_kept: 0, clip_lost: 0 };
const HASH_BYTES = 32;
const ROWS_PER_PAGE_MAX = 16;

/**
 * Copies the readable rows of a damaged database, in one transaction, and adds what is missing to the pending losses.
 * Reads row by row, since one bad page ends a whole scan. Signatures are verified when a copied record is read.
 *
 * @returns the number of records copied, of those lost, and of segments lost
 */
export function salvage(
  store: OutboxStore,
  old: Database,
  published: MirrorState | null,
): { readonly found: number; readonly lost: number; readonly segments: number } {
  // Adds the columns that an older schema lacks, if the database still allows it.
  undefinedOnError(() => {
    migrate(old);
  });
  return store.transaction(() => {
    const { queries } = store;
    const device = rows<DeviceRow>(old, 'device')[0];
    const epochs = readableEpochs(store, old, published);
    for (const row of epochs) restoreEpoch(store, row);
    const newest = epochs.at(-1);
    queries.setLastEpoch.run(
      Math.max(device?.last_epoch ?? 0, newest?.epoch ?? 0),
      device?.last_claim_hash ?? newest?.claim_hash ?? null,
    );
    if (device !== undefined) {
      queries.setFresh.run(device.is_fresh);
      queries.restoreRun.run(device.run_ms, device.moved_run_ms);
    }
    // The table may be of an earlier schema, without the last two columns.
    type OldRow = Pick<StandingOrderRow, 'command'> & Partial<StandingOrderRow> & { readonly action: string };
    for (const { action, command, account = null, wall_ms: wallMs = null } of rows<OldRow>(old, 'standing_order')) {
      queries.setOrder.run({ action, command, account, wallMs });
    }
    const known = new Set(epochs.map(({ epoch }) => epoch));
    for (const { epoch, signer, counter } of rows<CounterRow>(old, 'order_counter')) {
      if (known.has(epoch)) queries.setSignerCounter.run({ epoch, signer, counter });
    }
    for (const { epoch, seq, code, bytes } of rows<RecordRow & { code: string }>(old, 'quarantine')) {
      queries.insertQuarantined.run({ epoch, seq, code, bytes });
    }
    const arePendingWhole = eachRow<LossRow>(old, 'pending_loss', (loss) => {
      queries.restoreLoss.run({
        epoch: loss.epoch,
        reason: loss.reason,
        fromSeq: loss.from_seq,
        toSeq: loss.to_seq,
        mediaId: loss.media_id,
        count: loss.count,
        saidSeq: loss.said_seq,
      });
    });
    const found = copyRecords(store, old, known) + restorePeriods(store, rows<PeriodRow>(old, 'period'));
    const lost = epochs.reduce((sum, row) => sum + balance(store, row, arePendingWhole), 0);
    const segments = copySegments(store, old, epochs);
    // An epoch that is closed only here could not name its losses any more.
    for (const row of epochs) if (row.is_open === 0) store.losses.carryPending(row.epoch);
    store.deleteDrained();
    return { found, lost, segments };
  });
}

function restoreEpoch({ queries }: OutboxStore, row: EpochRow): void {
  const { epoch, claim, claim_hash: claimHash, head_hash: headHash } = row;
  const kemKeys = (row as Partial<EpochRow>).kem_keys ?? null;
  queries.insertEpoch.run({ epoch, claim, claimHash, headHash, kemKeys });
  queries.restoreEpoch.run({
    epoch,
    isOpen: row.is_open,
    acceptReceipted: row.accept_receipted,
    headSeq: row.head_seq,
    produced: row.produced,
    receipted: row.receipted,
    quarantined: row.quarantined,
    lost: row.lost,
    commandCounter: row.command_counter,
    // A database of an earlier schema has no such column.
    accept: (row as Partial<EpochRow>).accept ?? null,
  });
}

/** Returns the readable rows of a small table. */
function rows<Row>(old: Database, table: string): Row[] {
  const out: Row[] = [];
  eachRow<Row>(old, table, (row) => out.push(row));
  return out;
}

/** Calls back for every readable row, in the order of insertion. Returns false if some could not be read. */
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
  // If not even the last rowid can be read: as many as fit into the file.
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

/** Returns the epochs whose row holds the claim that it names, in their order, with the mirror's epoch if it is missing. */
function readableEpochs({ signer }: OutboxStore, old: Database, published: MirrorState | null): EpochRow[] {
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
      command_counter: 0,
      accept: null,
      kem_keys: packKemKeys(published.kemKeys ?? []),
      produced: 0,
      receipted: 0,
      quarantined: 0,
      lost: 0,
    });
  }
  // Only the newest can be open: the page that closed an older one may be gone.
  return found
    .sort((a, b) => a.epoch - b.epoch)
    .map((row, i) => (i === found.length - 1 ? row : { ...row, is_open: 0 }));
}

function copyRecords({ queries }: OutboxStore, old: Database, epochs: ReadonlySet<number>): number {
  const media = undefinedOnError(() =>
    old.prepare<[number, number], MediaRow>(
      'SELECT position, media_id, header, body FROM media WHERE epoch = ? AND seq = ? ORDER BY position',
    ),
  );
  let found = 0;
  eachRow<RecordRow>(old, 'record', ({ epoch, seq, hash, bytes, wall_ms: wallMs }) => {
    const isWhole = epochs.has(epoch) && hash.length === HASH_BYTES && queries.record.get(epoch, seq) === undefined;
    if (!isWhole) return;
    queries.insertRecord.run({ epoch, seq, hash, bytes, wallMs });
    let size = bytes.length;
    for (const { position, media_id: mediaId, header, body } of undefinedOnError(() => media?.all(epoch, seq)) ?? []) {
      queries.insertMedia.run({ epoch, seq, position, mediaId, header, body });
      size += header.length + body.length;
    }
    queries.addQueued.run(1, size);
    found++;
  });
  return found;
}

/** Copies the rows of segments, and counts those that are gone. Returns how many are. */
function copySegments(store: OutboxStore, old: Database, epochs: readonly EpochRow[]): number {
  const { queries, segments, losses } = store;
  const known = new Set(epochs.map(({ epoch }) => epoch));
  const kept = new Map<number, number>();
  for (const row of rows<SegmentRow>(old, 'segment')) {
    // Without its record, which is lost, a body that waits for the receipt would wait forever.
    const isWhole = row.ready === 1 || queries.hasRecord.get(row.epoch, row.seq) !== undefined;
    if (!known.has(row.epoch) || row.hash.length !== HASH_BYTES || !isWhole) continue;
    segments.add(row);
    kept.set(row.epoch, (kept.get(row.epoch) ?? 0) + 1);
  }
  let gone = 0;
  for (const row of epochs) {
    const { clip_made: made, clip_kept: stored, clip_lost: lost } = { ...NO_SEGMENTS, ...row };
    const queued = kept.get(row.epoch) ?? 0;
    const missing = Math.max(0, made - stored - lost - queued);
    segments.queries.count.run({
      epoch: row.epoch,
      made: stored + lost + queued + missing,
      kept: stored,
      lost: lost + missing,
    });
    gone += missing;
  }
  const open = queries.openEpoch.get();
  if (gone > 0 && open !== undefined) losses.addCount(open.epoch, 'corrupt', gone);
  return gone;
}

/**
 * Brings the counts and the head of an epoch in line with its records, and adds those that are missing to the losses.
 * Returns how many are missing.
 */
function balance({ queries, losses }: OutboxStore, row: EpochRow, arePendingWhole: boolean): number {
  const { epoch } = row;
  const seqs = queries.seqs.all(epoch).map(({ seq }) => seq);
  const top = queries.record.get(epoch, seqs.at(-1) ?? -1);
  if (top !== undefined && top.seq > row.head_seq) queries.moveHead.run({ epoch, seq: top.seq, hash: top.hash });
  const head = Math.max(row.head_seq, top?.seq ?? -1);
  const produced = head + 1;
  const quarantined = Math.min(row.quarantined, produced - seqs.length);
  const gone = produced - seqs.length - quarantined;
  const receipted = Math.min(row.receipted, gone);
  const lost = gone - receipted;
  queries.restoreCounts.run({ epoch, produced, receipted, quarantined, lost });
  const missing = Math.max(0, lost - row.lost);
  // Pending losses may have been on a page that is gone: then every missing record is named again.
  if (missing === 0 && arePendingWhole) return 0;
  if (row.is_open === 0) {
    if (missing > 0) losses.addRange(epoch, 'corrupt', 1, missing);
    return missing;
  }
  // Nobody knows which of the absent ones were receipted, so a range may name some that are in the cloud.
  // Range by range: a camera that went on after a lost state may have skipped a million seqs.
  let from = 0;
  for (const seq of [...seqs, produced]) {
    if (seq > from) losses.addRange(epoch, 'corrupt', from, seq - 1);
    from = seq + 1;
  }
  return missing;
}
