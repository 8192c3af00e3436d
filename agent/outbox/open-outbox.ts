import { join } from 'node:path';
import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { AnyRecord, RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { eraseAside, finishSettingAside, isAside, keepAside, openAside, setAside } from './aside.js';
import { Bodies } from './bodies.js';
import { sweepBodies } from './clips.js';
import { openDatabase } from './database.js';
import { packKemKeys } from './epochs.js';
import { Mirror, type MirrorState } from './mirror.js';
import { Outbox } from './outbox.js';
import { noteOwnership } from './published.js';
import type { EpochRow } from './queries.js';
import { salvage } from './salvage.js';
import { isDamage, storeError, type Database } from './sqlite.js';
import { goOnAfter } from './state-lost.js';
import { OutboxStore, type OutboxLimits, type OutboxSigner } from './store.js';

export interface OpenOutboxOptions {
  readonly folder: string;
  readonly signer: OutboxSigner;
  readonly limits: OutboxLimits;
  readonly sha256: (data: Uint8Array) => Uint8Array;
  readonly time: RecordTime;
  readonly log: Log;
}

/** Size of the file over its content: indexes, free pages and the records' own rows. */
const FILE_OVERHEAD_FACTOR = 1.5;
const FILE_MIN_BYTES = 4 * 1024 * 1024;

/**
 * Opens database and mirror, and reconciles them.
 * A damaged database is renamed aside, never deleted, and its readable rows are salvaged. A database that is behind what was
 * published continues after it, with a gap. Both are logged.
 *
 * @throws SealcamError `store-newer`, `store-locked`, `store-unavailable`, `store-full`
 */
export function openOutbox(options: OpenOutboxOptions): { readonly outbox: Outbox; readonly mirror: Mirror } {
  const { folder, signer, limits, log, sha256 } = options;
  const path = join(folder, 'outbox.db');
  const maxBytes = Math.max(FILE_MIN_BYTES, limits.maxBytes * FILE_OVERHEAD_FACTOR);
  const open = (): Database => openDatabase(path, { maxBytes });
  const mirror = new Mirror(join(folder, 'outbox.mirror'), sha256);
  const db = openOrSetAside(path, open, log);
  let repairs = 0;
  const repair = (damaged: Database): void => {
    repairs++;
    damaged.close();
    if (!isAside(path)) {
      // A failed read can look like damage to SQLite.
      const sound = openIfSound(open);
      if (sound !== null) {
        store.replaceDatabase(sound);
        return;
      }
      setAside(path);
    }
    const fresh = open();
    store.replaceDatabase(fresh);
    try {
      adoptPublished(store, mirror, path, options);
    } catch (error) {
      fresh.close();
      throw error;
    }
  };
  let isFull = false;
  const store = new OutboxStore(db, {
    signer,
    limits,
    sha256,
    bodies: new Bodies(folder),
    onNoRoom: () => {
      if (!isFull) log.warn({ code: 'store-full' }, 'the disk is full: the oldest clips are given up');
      isFull = true;
    },
    repair,
    eraseAside: () => {
      eraseAside(path);
    },
  });
  const outbox = new Outbox(store);
  const reconcile = (): void => {
    adoptPublished(store, mirror, path, options);
    // A power cut may have come between the end of an ownership and its note in the mirror.
    noteOwnership(outbox, mirror);
  };
  try {
    mirror.open();
    try {
      reconcile();
    } catch (error) {
      const known = storeError(error, path);
      if (!isDamage(known)) throw known;
      // A transaction has repaired the database itself.
      if (repairs === 0) repair(db);
      reconcile();
    }
    sweep(store, null, log);
    return { outbox, mirror };
  } catch (error) {
    mirror.close();
    outbox.close();
    throw error;
  }
}

function openIfSound(open: () => Database): Database | null {
  let db: Database | undefined;
  try {
    db = open();
    if (db.pragma('integrity_check(1)', { simple: true }) === 'ok') return db;
  } catch (error) {
    const known = storeError(error, db?.name ?? '');
    if (!isDamage(known)) {
      db?.close();
      throw known;
    }
  }
  db?.close();
  return null;
}

function openOrSetAside(path: string, open: () => Database, log: Log): Database {
  finishSettingAside(path);
  try {
    return open();
  } catch (error) {
    if (!isDamage(error)) throw error;
    setAside(path);
    log.error({ code: 'store-corrupt' }, 'the outbox was damaged and set aside; continuing with a new one');
    return open();
  }
}

/** Salvages the database that was set aside, if there is one, then compares with what was published. */
function adoptPublished(store: OutboxStore, mirror: Mirror, path: string, options: OpenOutboxOptions): void {
  const { log } = options;
  const published = mirror.state;
  let segmentsLost: number | null = null;
  const old = openAside(path);
  if (old !== null) {
    try {
      // A power cut may have come after the salvage and before the old file was renamed.
      const isNew = store.queries.device.get()?.last_epoch === 0;
      if (isNew) {
        const { found, lost, segments } = salvage(store, old, published);
        segmentsLost = segments;
        log.error({ code: 'store-corrupt', found, lost }, 'salvaged the readable records of the damaged outbox');
      }
    } finally {
      old.close();
    }
  }
  if (published !== null && catchUp(store, mirror, published, options)) segmentsLost ??= 0;
  if (segmentsLost !== null) sweep(store, segmentsLost, log);
  if (old !== null) keepAside(path);
}

/**
 * Compares the database with what was published; see docs/decisions/0004-mirror.md. Returns whether it is another one than the
 * camera had last.
 */
function catchUp(store: OutboxStore, mirror: Mirror, published: MirrorState, options: OpenOutboxOptions): boolean {
  const lastEpoch = store.queries.device.get()?.last_epoch ?? 0;
  if (lastEpoch > published.epoch) return false;
  if (published.claim.length === 0) {
    stayReleased(store, published, lastEpoch);
    return false;
  }
  const row = store.queries.epoch.get(published.epoch);
  if (lastEpoch === published.epoch && (row === undefined || row.is_open === 0)) return false;
  const seq = published.seq ?? -1;
  if (row !== undefined && row.head_seq >= seq && !hasOther(store, row, published)) return false;
  const gap = continueAfter(store, published, options);
  // Noted at once: the records still differ at the next start, and one gap says so.
  if (gap !== null) mirror.write({ ...published, seq: gap.value.seq, hash: gap.hash });
  return true;
}

/** Brings rows and files of segments in line. See {@link sweepBodies}. */
function sweep(store: OutboxStore, counted: number | null, log: Log): void {
  const { missing, orphans } = sweepBodies(store, counted);
  if (missing > 0) log.error({ code: 'store-corrupt', missing }, 'segments of clips are missing on the disk');
  if (orphans > 0) log.info({ orphans }, 'removed what a cut left of segments');
}

/** Returns whether the database has another record where one was published: it was restored and went on by itself. */
function hasOther({ queries }: OutboxStore, row: EpochRow, { epoch, seq, hash }: MirrorState): boolean {
  if (seq === null || hash === null) return false;
  const own = row.head_seq === seq ? row.head_hash : queries.record.get(epoch, seq)?.hash;
  return own !== undefined && !equal(new Uint8Array(own), hash);
}

/** The database is from before a release: the owner it names no longer owns the camera. */
function stayReleased(store: OutboxStore, published: MirrorState, lastEpoch: number): void {
  const { queries } = store;
  const isBehind = lastEpoch < published.epoch;
  if (!isBehind && queries.openEpoch.get() === undefined) return;
  store.erase(() => {
    const open = queries.openEpoch.get();
    store.segments.dropAll();
    if (open !== undefined) {
      const range = { epoch: open.epoch, from: 0, to: open.head_seq };
      const totals = queries.rangeTotals.get(range);
      queries.deleteRecords.run(range);
      queries.deletePeriods.run(range);
      queries.addQueued.run(-(totals?.records ?? 0), -(totals?.bytes ?? 0));
      queries.closeEpoch.run(open.epoch);
      store.deleteDrained();
    }
    queries.eraseQuarantine.run();
    queries.eraseLosses.run();
    queries.eraseOrders.run();
    if (isBehind) queries.setLastEpoch.run(published.epoch, published.claimHash);
  });
}

/** Goes on after the larger of the two heads. Returns the gap that names what the database does not have, if there is one. */
function continueAfter(
  store: OutboxStore,
  published: MirrorState,
  { signer, time, log }: OpenOutboxOptions,
): Verified<AnyRecord> | null {
  const { epoch, seq } = published;
  const claim = signer.openClaim(published.claim);
  if (!equal(claim.hash, published.claimHash)) throw new SealcamError('store-corrupt', 'the mirror contradicts itself');
  const head = store.queries.epoch.get(epoch)?.head_seq ?? -1;
  const gap = store.transaction(() => {
    const { queries } = store;
    const open = queries.openEpoch.get();
    const ended = open !== undefined && open.epoch !== epoch ? open.epoch : null;
    if (ended !== null) queries.closeEpoch.run(ended);
    if (queries.epoch.get(epoch) === undefined) {
      const kemKeys = packKemKeys(published.kemKeys ?? []);
      queries.insertEpoch.run({ epoch, claim: claim.bytes, claimHash: claim.hash, headHash: claim.hash, kemKeys });
      queries.setLastEpoch.run(epoch, claim.hash);
    }
    // Nobody can name these losses in their own epoch any more.
    if (ended !== null) store.losses.carryPending(ended);
    const row = queries.epoch.get(epoch);
    if (row === undefined) return null;
    if (seq === null) {
      store.insert(row, { kind: 'accept', time });
      // Records that were never published are gone, and nobody knows how many there were.
      store.losses.addCount(epoch, 'state-lost', 1);
      return null;
    }
    return goOnAfter(store, row, [Math.min(head + 1, seq), seq], time);
  });
  log.warn(
    { code: 'store-corrupt', epoch, seq, head },
    'the outbox is behind what was published; continuing after it with a gap',
  );
  return gap;
}
