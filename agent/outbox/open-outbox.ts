import { join } from 'node:path';
import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { SealcamRecord } from '../../protocol/objects/record.js';
import { eraseAside, finishSettingAside, isAside, keepAside, openAside, setAside } from './aside.js';
import { isDamage, openDatabase, storeError, type Database } from './database.js';
import type { OutboxLimits } from './limits.js';
import { Mirror, type MirrorState } from './mirror.js';
import { Outbox, type OutboxSigner } from './outbox.js';
import { noteOwnership } from './published.js';
import { salvage } from './salvage.js';

export interface OpenOutboxOptions {
  readonly folder: string;
  readonly signer: OutboxSigner;
  readonly limits: OutboxLimits;
  readonly sha256: (data: Uint8Array) => Uint8Array;
  readonly time: SealcamRecord['time'];
  readonly log: Log;
}

/** Beside the content: indexes, free pages and the records' own rows. */
const FILE_OVERHEAD = 1.5;
const FILE_MIN_BYTES = 4 * 1024 * 1024;

/**
 * Opens database and mirror and brings them together.
 * A damaged database is renamed aside, never deleted, and what can be read of it is taken over; one that is behind what
 * was published goes on after it. Both say so.
 *
 * @throws SealcamError `store-newer`, `store-locked`, `store-unavailable`, `store-full`
 */
export function openOutbox(options: OpenOutboxOptions): { readonly outbox: Outbox; readonly mirror: Mirror } {
  const { folder, signer, limits, log, sha256 } = options;
  const path = join(folder, 'outbox.db');
  const open = (): Database => {
    return openDatabase(path, { maxBytes: Math.max(FILE_MIN_BYTES, limits.maxBytes * FILE_OVERHEAD) });
  };
  const mirror = new Mirror(join(folder, 'outbox.mirror'), sha256);
  const db = openOrSetAside(path, open, log);
  let repairs = 0;
  const repair = (damaged: Database): void => {
    repairs++;
    damaged.close();
    if (!isAside(path)) {
      // A read that failed can look like damage to SQLite.
      const sound = openIfSound(open);
      if (sound !== null) {
        outbox.replaceDatabase(sound);
        return;
      }
      setAside(path);
    }
    const fresh = open();
    outbox.replaceDatabase(fresh);
    try {
      adoptPublished(outbox, mirror.state, path, options);
    } catch (error) {
      fresh.close();
      throw error;
    }
  };
  const erase = (): void => {
    eraseAside(path);
  };
  const outbox = new Outbox(db, { signer, limits, sha256, repair, eraseAside: erase });
  const settle = (): void => {
    adoptPublished(outbox, mirror.state, path, options);
    // A power cut may have come between the end of an ownership and its note.
    noteOwnership(outbox, mirror);
  };
  const before = repairs;
  try {
    mirror.open();
    try {
      settle();
    } catch (error) {
      const known = storeError(error, path);
      if (!isDamage(known)) throw known;
      // A transaction repairs by itself.
      if (repairs === before) repair(db);
      settle();
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
    log.error({ code: 'store-corrupt' }, 'the outbox was damaged and set aside; going on with a new one');
    return open();
  }
}

/** Takes over what lies aside, and then compares with what was published. */
function adoptPublished(outbox: Outbox, published: MirrorState | null, path: string, options: OpenOutboxOptions): void {
  const { log } = options;
  const old = openAside(path);
  if (old !== null) {
    try {
      // A power cut may have come after it was taken over.
      const isNew = outbox.queries.device.get()?.last_epoch === 0;
      if (isNew) {
        const { found, lost } = salvage(outbox, old, published);
        log.error({ code: 'store-corrupt', found, lost }, 'what was left of the damaged outbox was taken over');
      }
    } finally {
      old.close();
    }
  }
  if (published !== null) catchUp(outbox, published, options);
  if (old !== null) keepAside(path);
}

/** Compares the database with what was published; see docs/decisions/0004-mirror.md. */
function catchUp(outbox: Outbox, published: MirrorState, options: OpenOutboxOptions): void {
  const lastEpoch = outbox.queries.device.get()?.last_epoch ?? 0;
  if (lastEpoch > published.epoch) return;
  if (published.claim.length === 0) {
    stayReleased(outbox, published, lastEpoch);
    return;
  }
  const row = outbox.queries.epoch.get(published.epoch);
  if (lastEpoch === published.epoch && (row === undefined || row.is_open === 0)) return;
  const head = row?.head_seq ?? -1;
  const seq = published.seq ?? -1;
  if (row !== undefined && head >= seq) return;
  goOnAfter(outbox, published, { head, seq }, options);
}

/** The database is from before a release: the owner it names is not the owner any more. */
function stayReleased(outbox: Outbox, published: MirrorState, lastEpoch: number): void {
  const isBehind = lastEpoch < published.epoch;
  if (!isBehind && outbox.queries.openEpoch.get() === undefined) return;
  outbox.erase(() => {
    const open = outbox.queries.openEpoch.get();
    if (open !== undefined) {
      const totals = outbox.queries.rangeTotals.get(open.epoch, 0, open.head_seq);
      outbox.queries.deleteRange.run(open.epoch, 0, open.head_seq);
      outbox.queries.addQueued.run(-(totals?.records ?? 0), -(totals?.bytes ?? 0));
      outbox.queries.closeEpoch.run(open.epoch);
      outbox.deleteDrained();
    }
    outbox.queries.eraseQuarantine.run();
    outbox.queries.eraseLosses.run();
    outbox.queries.eraseOrders.run();
    if (isBehind) outbox.queries.setEpoch.run(published.epoch, published.claimHash);
  });
}

function goOnAfter(
  outbox: Outbox,
  published: MirrorState,
  { head, seq }: { readonly head: number; readonly seq: number },
  { signer, time, log }: OpenOutboxOptions,
): void {
  const claim = signer.openClaim(published.claim);
  if (!equal(claim.hash, published.claimHash)) throw new SealcamError('store-corrupt', 'the mirror contradicts itself');
  outbox.transaction(() => {
    const open = outbox.queries.openEpoch.get();
    if (open !== undefined && open.epoch !== published.epoch) outbox.queries.closeEpoch.run(open.epoch);
    if (outbox.queries.epoch.get(published.epoch) === undefined) {
      outbox.queries.insertEpoch.run(published.epoch, claim.bytes, claim.hash, claim.hash);
      outbox.queries.setEpoch.run(published.epoch, claim.hash);
    }
    outbox.queries.moveHead.run(seq, published.hash ?? claim.hash, published.epoch);
    // These were published and may be stored in the cloud; for the counts here they are produced and lost.
    outbox.queries.countProduced.run(seq - head, seq - head, published.epoch);
    const now = outbox.queries.epoch.get(published.epoch);
    if (now === undefined) return;
    if (seq < 0) {
      outbox.insert(now, { kind: 'accept', time });
      // Whatever was recorded and never published is gone, and nobody knows how much that was.
      outbox.losses.addCount(now.epoch, 'state-lost', 1);
      return;
    }
    const loss = [{ reason: 'state-lost' as const, seqs: [head + 1, seq] as const }];
    outbox.insert(now, { kind: 'gap', time, loss }, [], null);
  });
  log.warn(
    { code: 'store-corrupt', epoch: published.epoch, seq, head },
    'the outbox is behind what was published; going on after it with a gap',
  );
}
