import { distinct, equal } from '../../common/bytes.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Claim } from '../../protocol/objects/claim.js';
import { accountId, epochKey } from '../../protocol/objects/ids.js';
import { recordKind, type SealcamRecord } from '../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import { checkBinding } from '../../protocol/verify/binding.js';
import { checkContinuity, type Continuity } from '../../protocol/verify/continuity.js';
import { isMediaOf } from '../../protocol/verify/media.js';
import type { Verdict } from '../../protocol/verify/verdict.js';
import { Refusals } from '../alarms/refusals.js';
import type { AccessEntry, ClaimRow, EpochKey, NewMedia, StoredRecord } from '../store/store.js';
import { AccessWriter } from './access-writer.js';
import type { FeedItem } from './feed.js';
import { ReadGate, type ReaderDependencies } from './read-gate.js';
import type { Session } from './sessions.js';

const NO_BYTES = new Uint8Array(0);
const WRONG_MEDIA = 'media that is not the one the record names';

/** A record that this read verified and that its reader may see. */
export interface ReadRecord {
  /** Arrival number. */
  readonly id: number;
  readonly record: Verified<SealcamRecord>;
  readonly receivedAtMs: number;
  readonly continuity: Continuity;
  readonly media: readonly { readonly id: Uint8Array; readonly isAvailable: boolean }[];
}

export interface Mismatch {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly bytes: Uint8Array;
}

/** What a line of the access log adds to reader and epoch. */
interface Access {
  readonly what: AccessEntry['what'];
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly mediaId: Uint8Array | null;
}

/**
 * The only way from the store to a reader. Each read fetches the claim row of the record's own epoch, verifies the record
 * again, and writes the access log before it returns anything. What does not verify raises an alarm and is not shown.
 */
export class Reader extends ReadGate {
  private readonly refusals: Refusals;
  private readonly accessWriter: AccessWriter;

  constructor(deps: ReaderDependencies) {
    super(deps);
    this.refusals = new Refusals(deps);
    this.accessWriter = new AccessWriter(deps.store.access);
  }

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
   * Returns the claim row of an epoch that this key may read. A reader without the right to see a camera does not learn
   * whether it exists.
   *
   * @throws SealcamError `not-found`, `reads-paused`, `revocation-stale`, `store-unavailable`
   */
  async rowFor(key: Uint8Array, device: Uint8Array, epoch: number): Promise<ClaimRow> {
    const { claims } = this.deps.store;
    const row = (await claims.isMember(device, epoch, key)) ? await claims.row(device, epoch) : undefined;
    if (row === undefined || (await this.isRevoked(row))) throw new SealcamError('not-found', 'no such camera');
    const isRequested = equal(row.device, device) && row.epoch === epoch;
    if (!isRequested) {
      const reason = 'the store answered with the row of another epoch';
      await this.raiseAlarm(key, row, { verdict: 'foreign', reason, bytes: row.claim ?? NO_BYTES });
    }
    if (!isRequested || !(await this.mayRead(key, row))) throw new SealcamError('not-found', 'no such camera');
    await this.requireReadsOpen(key, row.account);
    return row;
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
   * Returns whether the signed claim inside the row is that of its epoch and names the key. The table of members only
   * finds rows: a mixed-up entry there grants nothing, and raises an alarm.
   */
  async mayRead(key: Uint8Array, row: ClaimRow): Promise<boolean> {
    const claim = this.claimOf(row);
    if (claim?.recipients.some(({ ed25519 }) => equal(ed25519, key)) === true) return true;
    const reason =
      claim !== null ? 'the claim of this epoch does not name the reader' : 'the claim does not belong to its row';
    await this.raiseAlarm(key, row, { verdict: 'foreign', reason, bytes: row.claim ?? NO_BYTES });
    return false;
  }

  /**
   * Returns whether this key signed the claim inside the row, for the row's own epoch. What cannot be undone asks this for
   * each row: a mixed-up row destroys nothing, and raises an alarm.
   */
  async isOwner(key: Uint8Array, row: ClaimRow): Promise<boolean> {
    const claim = this.claimOf(row);
    if (claim !== null && equal(claim.ownerKey, key)) return true;
    const reason =
      claim !== null ? 'the key did not sign the claim of this epoch' : 'the claim does not belong to its row';
    await this.raiseAlarm(key, row, { verdict: 'foreign', reason, bytes: row.claim ?? NO_BYTES });
    return false;
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
   * null for one that is missing; null where the record may not be shown.
   */
  async exportRecord(
    key: Uint8Array,
    row: ClaimRow,
    stored: StoredRecord,
    media: readonly NewMedia[],
  ): Promise<{ readonly read: ReadRecord; readonly media: readonly (SealedObject | null)[] } | null> {
    await this.requireReadsOpen(key, row.account);
    const read = (await this.isRevoked(row)) ? null : await this.verify(key, row, stored);
    if (read === null) return null;
    const objects: (SealedObject | null)[] = [];
    for (const named of read.record.value.media ?? []) {
      const found = media.find(({ id }) => equal(id, named.id))?.sealed ?? null;
      const isRight = found !== null && isMediaOf(this.deps.suite, named, found);
      if (found !== null && !isRight) {
        await this.raiseAlarm(key, row, { verdict: 'malformed', reason: WRONG_MEDIA, bytes: read.record.bytes });
      }
      objects.push(isRight ? found : null);
    }
    return { read, media: objects };
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
    const named = read?.record.value.media?.find((media) => equal(media.id, id));
    if (found === undefined || read === null || named === undefined) {
      throw new SealcamError('not-found', 'no such media');
    }
    if (!isMediaOf(this.deps.suite, named, found.sealed)) {
      await this.raiseAlarm(key, row, { verdict: 'malformed', reason: WRONG_MEDIA, bytes: read.record.bytes });
      throw new SealcamError('not-found', 'no such media');
    }
    await this.logAccess(key, row, { what: 'media', fromSeq: found.seq, toSeq: found.seq, mediaId: id });
    return found.sealed;
  }

  /** Returns the verified record; null, after an alarm, for one that must not be shown. */
  private async verify(key: Uint8Array, row: ClaimRow, stored: StoredRecord): Promise<ReadRecord | null> {
    const { store, suite } = this.deps;
    let record: Verified<SealcamRecord>;
    try {
      record = openSigned(recordKind, suite, stored.bytes);
    } catch (error) {
      const { code, message } = asSealcamError(error);
      const verdict = code === 'foreign' || code === 'unsupported' ? code : 'malformed';
      await this.raiseAlarm(key, row, { verdict, reason: message, bytes: stored.bytes });
      return null;
    }
    const { value, hash } = record;
    const isKeyed = equal(value.device, stored.device) && value.epoch === stored.epoch && value.seq === stored.seq;
    const binding = isKeyed && equal(hash, stored.hash) ? checkBinding(value, row) : 'foreign';
    if (binding !== 'bound') {
      const reason = 'does not belong to the claim row of its epoch';
      await this.raiseAlarm(key, row, { verdict: binding, reason, bytes: stored.bytes });
      return null;
    }
    if (!(await this.mayRead(key, row))) return null;
    const continuity = checkContinuity(value, await store.records.chainFacts(value.device, value.epoch, value.seq));
    if (continuity.verdict === 'equivocation') {
      const reason = 'not the record that its successor names';
      await this.raiseAlarm(key, row, { verdict: 'equivocation', reason, bytes: stored.bytes });
      return null;
    }
    const ids = (value.media ?? []).map(({ id }) => id);
    const present = ids.length === 0 ? [] : await store.records.mediaPresent(value.device, value.epoch, value.seq, ids);
    const media = ids.map((id, i) => ({ id, isAvailable: present[i] === true }));
    return { id: stored.id, record, receivedAtMs: stored.receivedAtMs, continuity, media };
  }

  /** Returns the signed claim inside a row; null unless it verifies and is that of the row's epoch. */
  claimOf(row: ClaimRow): Claim | null {
    return this.claims.of(row);
  }

  /** Raises the alarm over something stored that disagrees with what is signed. `reader` is null where nobody asked for it. */
  reportMismatch(reader: Uint8Array | null, at: EpochKey | null, mismatch: Mismatch): Promise<void> {
    const { device, epoch } = at ?? { device: null, epoch: null };
    return this.refusals.recordRefusal({ place: 'read', device, epoch, reader, ...mismatch });
  }

  /** Returns whether an open epoch has been silent for two health cadences. */
  isIncomplete(lastReceivedAtMs: number, row: ClaimRow): boolean {
    return row.state === 'open' && this.deps.clock.wallMs() - lastReceivedAtMs > 2 * LIMITS.healthCadenceMs;
  }

  private logAccess(reader: Uint8Array, { device, epoch }: ClaimRow, access: Access): Promise<void> {
    return this.accessWriter.append({ atMs: this.deps.clock.wallMs(), reader, device, epoch, ...access });
  }

  private raiseAlarm(key: Uint8Array, row: ClaimRow, mismatch: Mismatch): Promise<void> {
    return this.reportMismatch(accountId(this.deps.suite, key), row, mismatch);
  }
}
