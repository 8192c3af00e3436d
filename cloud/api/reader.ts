import { distinct, equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { epochKey } from '../../protocol/objects/ids.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import type { RecordMediaV2 } from '../../protocol/objects/record-fields-v2.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import { isMediaOf } from '../../protocol/verify/media.js';
import { kemHashesOf } from '../store/periods.js';
import type { AccessEntry, ClaimRow, NewMedia, StoredRecord } from '../store/store.js';
import type { FeedItem } from './feed.js';
import { NO_BYTES, type ReadRecord } from './record-reader.js';
import { PushReader } from './push-reader.js';
import type { Session } from './sessions.js';

export type { ReadRecord } from './record-reader.js';

const WRONG_MEDIA = 'media that is not the one the record names';

/** A record as the store exports it, and the range of seqs that the export was logged for. */
export interface ExportedRecord {
  readonly stored: StoredRecord;
  readonly media: readonly NewMedia[];
  readonly range: { readonly from: number; readonly to: number };
}

/**
 * The only way from the store to a reader. Each read fetches the claim row of the record's own epoch, verifies the record
 * again, and writes the access log before it returns anything. What does not verify raises an alarm and is not shown.
 */
export class Reader extends PushReader {
  /**
   * Returns the epochs that a person may read, without revoked ones and those of accounts that are paused or marked. Of
   * accounts whose invitation the person has not accepted, there are a few.
   *
   * @throws SealcamError `reads-paused`, `revocation-stale`, `store-unavailable`
   */
  async readableEpochs({ key, household }: Session): Promise<readonly ClaimRow[]> {
    const [, found] = await Promise.all([
      this.requireReadsOpen(key),
      this.deps.store.claims.readableBy(key, household),
    ]);
    const rows = found.filter(({ claim }) => claim !== null);
    // Asked once for all of them, and side by side: only where something is paused or marked does each row's own answer matter.
    const accounts = distinct(rows.flatMap((row) => this.accountsOf(row)));
    const [isOnePaused, isOneMarked, ...revoked] = await Promise.all([
      this.isPaused(accounts),
      this.isMarked(accounts),
      ...rows.map((row) => this.isRevoked(row)),
    ]);
    const isShown = async (row: ClaimRow, i: number): Promise<boolean> => {
      if (revoked[i] !== false) return false;
      if ((isOnePaused || isOneMarked) && ((await this.isRowMarked(row)) || (await this.isPaused([row.account])))) {
        return false;
      }
      return this.mayRead(key, row);
    };
    const shown = await Promise.all(rows.map(isShown));
    return rows.filter((_, i) => shown[i] === true);
  }

  /**
   * Returns whether an epoch is of an account that the person neither is nor accepted, as the signed claim says. Of such an
   * epoch a list holds the claim alone, which is the invitation.
   */
  isInvitation({ household }: Session, row: ClaimRow): boolean {
    const account = this.claimOf(row)?.account ?? row.account;
    return !household.accounts.some((known) => equal(known, account));
  }

  /** Returns the sentence of a pause of another account whose cameras this key may read; else null. */
  async pauseNotice({ key, household }: Session): Promise<string | null> {
    const { claims, reads } = this.deps.store;
    const rows = await claims.readableBy(key, household);
    return rows.length === 0 ? null : ((await reads.pauseOf(rows.map(({ account }) => account)))?.sentence ?? null);
  }

  /**
   * Returns the keys that the signed claim behind a piece of news names. Each of their streams checks again what it sends.
   *
   * @throws SealcamError `store-unavailable`
   */
  async readersOf(item: FeedItem): Promise<readonly Uint8Array[]> {
    const { claims } = this.deps.store;
    const row = item.type === 'record' ? await claims.row(item.device, item.epoch) : await claims.latest(item.device);
    if (row === undefined || row.claim === null) return [];
    const claim = this.claimOf(row);
    if (claim !== null) return claim.recipients.map(({ ed25519 }) => ed25519);
    const reason = 'the claim does not belong to its row';
    await this.reportMismatch(null, row, { verdict: 'foreign', reason, bytes: row.claim });
    return [];
  }

  /**
   * Returns the newest lines of the access log of every epoch of the person's households, revoked ones included. The table
   * of members finds the lines; the claim of each epoch decides whether the key may see them.
   *
   * @throws SealcamError `reads-paused`, `revocation-stale`, `store-unavailable`
   */
  async accessLog({ key, household }: Session, limit: number): Promise<readonly AccessEntry[]> {
    await this.requireReadsOpen(key);
    const { access, claims } = this.deps.store;
    const entries = await access.ofReadable(key, limit, household.accounts);
    const mayRead = new Map<string, boolean>();
    for (const { device, epoch } of entries) {
      const place = epochKey(device, epoch);
      if (mayRead.has(place)) continue;
      const row = await claims.row(device, epoch);
      const isShown = row !== undefined && (await this.mayRead(key, row)) && !(await this.isRowMarked(row));
      mayRead.set(place, isShown);
    }
    return entries.filter(({ device, epoch }) => mayRead.get(epochKey(device, epoch)) === true);
  }

  /** Returns up to `limit` records with a seq below `before`, newest first. */
  async page(key: Uint8Array, row: ClaimRow, before: number, limit: number): Promise<readonly ReadRecord[]> {
    const stored = await this.deps.store.records.page(row.device, row.epoch, before, limit);
    return this.showRecords(key, row, stored, 'records');
  }

  /** Verifies stored records against a row that was just read, logs the access, and returns those that may be shown. */
  async showRecords(
    key: Uint8Array,
    row: ClaimRow,
    stored: readonly StoredRecord[],
    what: AccessEntry['what'],
  ): Promise<readonly ReadRecord[]> {
    const [, isRevoked] = await Promise.all([this.requireReadsOpen(key, row.account), this.isRevoked(row)]);
    if (isRevoked) return [];
    const shown: ReadRecord[] = [];
    for (const item of stored) {
      const read = await this.verify(key, row, item);
      if (read !== null) shown.push(read);
    }
    const seqs = shown.map(({ record }) => record.value.seq);
    if (seqs.length > 0) {
      await this.logAccess(key, row, { what, fromSeq: Math.min(...seqs), toSeq: Math.max(...seqs), mediaId: null });
    }
    return shown;
  }

  /**
   * Logs that an export reads an epoch, and returns the range of it: one line, before anything of it is returned.
   */
  async startExport(key: Uint8Array, row: ClaimRow): Promise<{ readonly from: number; readonly to: number } | null> {
    await this.requireReadsOpen(key, row.account);
    const bounds = (await this.isRevoked(row))
      ? undefined
      : await this.deps.store.records.bounds(row.device, row.epoch);
    if (bounds === undefined) return null;
    const { lowest: from, highest: to } = bounds;
    await this.logAccess(key, row, { what: 'export', fromSeq: from, toSeq: to, mediaId: null });
    return { from, to };
  }

  /**
   * Returns a record for an export that was started, with its sealed objects in the order in which the record names them,
   * null for one that is missing; null where the record may not be shown, or arrived since. A key record that the rest
   * needs may lie below the range.
   */
  async exportRecord(
    key: Uint8Array,
    row: ClaimRow,
    { stored, media, range }: ExportedRecord,
  ): Promise<{ readonly read: ReadRecord; readonly media: readonly (SealedObject | null)[] } | null> {
    await this.requireReadsOpen(key, row.account);
    const read = (await this.isRevoked(row)) ? null : await this.verify(key, row, stored);
    if (read === null) return null;
    const { seq, kind } = read.record.value;
    if (seq > range.to || (seq < range.from && kind !== 'key')) return null;
    if (seq < range.from) await this.logAccess(key, row, { what: 'export', fromSeq: seq, toSeq: seq, mediaId: null });
    const find = (wanted: Uint8Array): SealedObject | undefined => media.find(({ id }) => equal(id, wanted))?.sealed;
    return { read, media: await this.objectsOf(key, row, read, find) };
  }

  /** Returns the sealed objects that a record which was just read names, in its order, null for one that is missing or another. */
  async objectsOf(
    key: Uint8Array,
    row: ClaimRow,
    read: ReadRecord,
    find: (id: Uint8Array) => SealedObject | undefined | Promise<SealedObject | undefined>,
  ): Promise<readonly (SealedObject | null)[]> {
    const objects: (SealedObject | null)[] = [];
    for (const named of read.record.value.media ?? []) {
      const found = (await find(named.id)) ?? null;
      const isRight = found !== null && (await this.isNamed(key, row, read, named, found));
      objects.push(isRight ? found : null);
    }
    return objects;
  }

  /** Returns whether a line of the access log belongs to this row; raises an alarm where it does not. */
  async isOfRow(key: Uint8Array, row: ClaimRow, { device, epoch }: AccessEntry): Promise<boolean> {
    if (equal(device, row.device) && epoch === row.epoch) return true;
    await this.raiseAlarm(key, row, {
      verdict: 'foreign',
      reason: 'a line of the access log of another epoch',
      bytes: NO_BYTES,
    });
    return false;
  }

  /** Returns the newest health record of an epoch; null if none may be shown. */
  async health(key: Uint8Array, row: ClaimRow, what: AccessEntry['what']): Promise<ReadRecord | null> {
    const stored = await this.deps.store.records.latestHealth(row.device, row.epoch);
    const [read] = stored === undefined ? [] : await this.showRecords(key, row, [stored], what);
    return read ?? null;
  }

  /**
   * Returns a sealed object.
   *
   * @throws SealcamError `not-found`, `reads-paused`, `revocation-stale`, `store-unavailable`
   */
  async media(key: Uint8Array, row: ClaimRow, id: Uint8Array): Promise<SealedObject> {
    await this.requireReadsOpen(key, row.account);
    if (await this.isRevoked(row)) throw new SealcamError('not-found', 'no such media');
    const { records } = this.deps.store;
    const found = await records.media(row.device, row.epoch, id);
    const stored = found === undefined ? undefined : await records.get(row.device, row.epoch, found.seq);
    const read = stored === undefined ? null : await this.verify(key, row, stored);
    if (found === undefined || read === null) throw new SealcamError('not-found', 'no such media');
    const named = read.record.value.media?.find((media) => equal(media.id, id));
    if (!(await this.isNamed(key, row, read, named, found.sealed)))
      throw new SealcamError('not-found', 'no such media');
    await this.logAccess(key, row, { what: 'media', fromSeq: found.seq, toSeq: found.seq, mediaId: id });
    return found.sealed;
  }

  /**
   * Returns the key record of a period with its object, without which nothing sealed in the period opens.
   *
   * @throws SealcamError `not-found`, also before its object has come; `reads-paused`, `revocation-stale`, `store-unavailable`
   */
  async keyRecord(
    key: Uint8Array,
    row: ClaimRow,
    periodId: Uint8Array,
  ): Promise<{ readonly read: ReadRecord; readonly body: Uint8Array }> {
    await this.requireReadsOpen(key, row.account);
    const found = (await this.isRevoked(row))
      ? undefined
      : await this.deps.store.records.keyRecord(row.device, row.epoch, periodId);
    const read = found === undefined ? null : await this.verify(key, row, found.record);
    const { key: signed, media = [], seq } = read?.record.value ?? {};
    const [named] = media;
    if (found === undefined || read === null || signed === undefined || named === undefined || seq === undefined) {
      throw new SealcamError('not-found', 'no such period');
    }
    if (!equal(signed.periodId, periodId)) {
      const reason = 'the key record of another period';
      await this.raiseAlarm(key, row, { verdict: 'foreign', reason, bytes: read.record.bytes });
      throw new SealcamError('not-found', 'no such period');
    }
    if (found.sealed === null || !(await this.isNamed(key, row, read, named, found.sealed))) {
      throw new SealcamError('not-found', 'no such period');
    }
    await this.logAccess(key, row, { what: 'media', fromSeq: seq, toSeq: seq, mediaId: named.id });
    return { read, body: found.sealed.body };
  }

  /** Returns the hashes of KEM keys that the claim of a row names, in its order; none for a claim of version 1. */
  kemHashesOf(row: ClaimRow): readonly Uint8Array[] {
    const claim = this.claimOf(row);
    return claim === null ? [] : kemHashesOf(claim);
  }

  /**
   * Returns the KEM keys that the claim of a row names, in its order, null for one that is missing; null for a claim of
   * version 1. The caller has checked that its reader may see the claim.
   */
  async kemKeys(key: Uint8Array, row: ClaimRow): Promise<readonly (Uint8Array | null)[] | null> {
    const hashes = this.kemHashesOf(row);
    if (hashes.length === 0) return null;
    const found = await this.deps.store.claims.kemKeys(hashes);
    const shown: (Uint8Array | null)[] = [];
    for (const [i, hash] of hashes.entries()) {
      const kemKey = found[i] ?? null;
      const isRight = kemKey !== null && equal(kemHash(this.deps.suite, kemKey), hash);
      if (kemKey !== null && !isRight) {
        const reason = 'a KEM key that is not the one that the claim names';
        await this.raiseAlarm(key, row, { verdict: 'foreign', reason, bytes: kemKey });
      }
      shown.push(isRight ? kemKey : null);
    }
    return shown;
  }

  /** Returns whether a stored object is the one that a record names; raises an alarm where it is not. */
  private async isNamed(
    key: Uint8Array,
    row: ClaimRow,
    { record }: ReadRecord,
    named: RecordMediaV2 | undefined,
    sealed: SealedObject,
  ): Promise<boolean> {
    if (named !== undefined && isMediaOf(this.deps.suite, named, sealed)) return true;
    await this.raiseAlarm(key, row, { verdict: 'malformed', reason: WRONG_MEDIA, bytes: record.bytes });
    return false;
  }

  /** Returns whether an open epoch has been silent for two health cadences. */
  isIncomplete(lastReceivedAtMs: number, row: ClaimRow): boolean {
    return row.state === 'open' && this.deps.clock.wallMs() - lastReceivedAtMs > 2 * LIMITS.healthCadenceMs;
  }
}
