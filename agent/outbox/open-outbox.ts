import { join } from 'node:path';
import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import { eraseAside, finishSettingAside, isAside, keepAside, openAside, setAside } from './aside.js';
import { openDatabase } from './database.js';
import { Mirror, type MirrorState } from './mirror.js';
import { Outbox } from './outbox.js';
import { noteOwnership } from './published.js';
import { salvage } from './salvage.js';
import { isDamage, storeError, type Database } from './sqlite.js';
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
      adoptPublished(store, mirror.state, path, options);
    } catch (error) {
      fresh.close();
      throw error;
    }
  };
  const store = new OutboxStore(db, {
    signer,
    limits,
    sha256,
    repair,
    eraseAside: () => {
      eraseAside(path);
    },
  });
  const outbox = new Outbox(store);
  const reconcile = (): void => {
    adoptPublished(store, mirror.state, path, options);
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
function adoptPublished(
  store: OutboxStore,
  published: MirrorState | null,
  path: string,
  options: OpenOutboxOptions,
): void {
  const { log } = options;
  const old = openAside(path);
  if (old !== null) {
    try {
      // A power cut may have come after the salvage and before the old file was renamed.
      const isNew = store.queries.device.get()?.last_epoch === 0;
      if (isNew) {
        const { found, lost } = salvage(store, old, published);
        log.error({ code: 'store-corrupt', found, lost }, 'salvaged the readable records of the damaged outbox');
      }
    } finally {
      old.close();
    }
  }
  if (published !== null) catchUp(store, published, options);
  if (old !== null) keepAside(path);
}

/** Compares the database with what was published; see docs/decisions/0004-mirror.md. */
function catchUp(store: OutboxStore, published: MirrorState, options: OpenOutboxOptions): void {
  const lastEpoch = store.queries.device.get()?.last_epoch ?? 0;
  if (lastEpoch > published.epoch) return;
  if (published.claim.length === 0) {
    stayReleased(store, published, lastEpoch);
    return;
  }
  const row = store.queries.epoch.get(published.epoch);
  if (lastEpoch === published.epoch && (row === undefined || row.is_open === 0)) return;
  const head = row?.head_seq ?? -1;
  const seq = published.seq ?? -1;
  if (row !== undefined && head >= seq) return;
  continueAfter(store, published, { head, seq }, options);
}

/** The database is from before a release: the owner it names no longer owns the camera. */
function stayReleased(store: OutboxStore, published: MirrorState, lastEpoch: number): void {
  const { queries } = store;
  const isBehind = lastEpoch < published.epoch;
  if (!isBehind && queries.openEpoch.get() === undefined) return;
  store.erase(() => {
    const open = queries.openEpoch.get();
    if (open !== undefined) {
      const range = { epoch: open.epoch, from: 0, to: open.head_seq };
      const totals = queries.rangeTotals.get(range);
      queries.deleteRecords.run(range);
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

/** Moves the head behind what was published, and appends a gap that names the records in between. */
function continueAfter(
  store: OutboxStore,
  published: MirrorState,
  { head, seq }: { readonly head: number; readonly seq: number },
  { signer, time, log }: OpenOutboxOptions,
): void {
  const { epoch } = published;
  const claim = signer.openClaim(published.claim);
  if (!equal(claim.hash, published.claimHash)) throw new SealcamError('store-corrupt', 'the mirror contradicts itself');
  store.transaction(() => {
    const { queries } = store;
    const open = queries.openEpoch.get();
    if (open !== undefined && open.epoch !== epoch) queries.closeEpoch.run(open.epoch);
    if (queries.epoch.get(epoch) === undefined) {
      queries.insertEpoch.run({ epoch, claim: claim.bytes, claimHash: claim.hash, headHash: claim.hash });
      queries.setLastEpoch.run(epoch, claim.hash);
    }
    queries.moveHead.run({ epoch, seq, hash: published.hash ?? claim.hash });
    // These were published and may be stored in the cloud; the counts here have them as produced and lost.
    queries.addProducedAndLost.run({ epoch, records: seq - head });
    const row = queries.epoch.get(epoch);
    if (row === undefined) return;
    if (seq < 0) {
      store.insert(row, { kind: 'accept', time });
      // Records that were never published are gone, and nobody knows how many there were.
      store.losses.addCount(epoch, 'state-lost', 1);
      return;
    }
    const loss = [{ reason: 'state-lost' as const, seqs: [head + 1, seq] as const }];
    store.insert(row, { kind: 'gap', time, loss }, [], null);
  });
  log.warn(
    { code: 'store-corrupt', epoch, seq, head },
    'the outbox is behind what was published; continuing after it with a gap',
  );
}
