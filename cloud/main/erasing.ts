import { equal, toHex } from '../../common/bytes.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { floorKind, type Floor } from '../../protocol/objects/floor.js';
import { accountId, epochKey } from '../../protocol/objects/ids.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
import type { Reader } from '../api/reader.js';
import type { Statements } from '../api/statements.js';
import type { AccountMark, Expirable, ExpiryCursor, StoredDeletion } from '../store/statement-store.js';
import type { ClaimRow, CloudStore, EpochKey } from '../store/store.js';
import { readerToken } from '../trust/reader-token.js';
import { ReceiptSigners } from '../trust/receipt-signers.js';

export interface ErasingDependencies {
  readonly store: CloudStore;
  readonly suite: CryptoSuite;
  readonly counters: Counters;
  readonly log: Log;
  readonly reader: Reader;
  readonly statements: Statements;
  /** All receipt keys of this cloud, in order of preference. */
  readonly receiptSigners: readonly Signer[];
  /** How long records are kept, as floors promise. */
  readonly periodMs: number;
}

/** What is in doubt is tried, and reported, again after this time. */
const DOUBT_RETRY_MS = 86_400_000;
const DOUBTS_REMEMBERED_MAX = 10_000;
const NO_BYTES = new Uint8Array(0);
const WRONG_CLAIM = 'the claim does not belong to its row';
const NO_KEY = 'the claim names none of our receipt keys, so no floor can explain what would be deleted';
const OTHER_RECORD = 'the last record of a deleted range is not the one that its owner named';
const OTHER_ACCOUNT = 'a mark for deletion names another account than that of its key';

/**
 * All that deletes records for good: retention, and what owners deleted once its delay is over. Each asks the signed claim
 * of each epoch at that moment; whatever disagrees raises an alarm, is counted, and is left as it is.
 */
export class Erasing {
  private readonly deps: ErasingDependencies;
  private readonly signers: ReceiptSigners;
  private cursor: ExpiryCursor | null = null;
  /** By epoch: when retention reported last that it is in doubt. */
  private readonly doubts = new Map<string, number>();

  constructor(deps: ErasingDependencies) {
    this.deps = deps;
    this.signers = new ReceiptSigners(deps.suite, deps.receiptSigners);
  }

  /**
   * Deletes up to `limit` records that are older than the period at `nowMs`, and returns how many, and whether the search
   * goes on at the next call. Each epoch's floor is signed first and stored in the same transaction. A signed time after
   * `laterThanMs` cannot be.
   *
   * @throws SealcamError `store-unavailable`
   */
  async expire(
    nowMs: number,
    laterThanMs: number,
    limit: number,
  ): Promise<{ readonly deleted: number; readonly isMore: boolean }> {
    const { retention } = this.deps.store;
    const beforeMs = nowMs - this.deps.periodMs;
    const { epochs, next } = await retention.aged(beforeMs, this.cursor, limit);
    const floors: Verified<Floor>[] = [];
    let planned = 0;
    let isCut = false;
    for (const epoch of epochs) {
      isCut = planned >= limit;
      if (isCut) break;
      // What has expired of an epoch costs a look at each of its records, so it is asked for only when its turn comes.
      const expirable = await retention.expirable(epoch, beforeMs, limit - planned, laterThanMs);
      const floor = expirable === null ? null : await this.floorOf(expirable, nowMs);
      if (expirable === null || floor === null) continue;
      floors.push(floor);
      planned += expirable.records;
    }
    const deleted = await retention.expire(floors, beforeMs);
    this.deps.counters.add('retention.deleted', deleted);
    // Epochs in doubt are passed over, so that they never hold up the others.
    if (!isCut) this.cursor = next;
    return { deleted, isMore: isCut || next !== null };
  }

  /**
   * Erases what owners deleted and did not undo in time: up to `limit` records of deleted ranges, and whole accounts.
   * Returns how many records went.
   *
   * @throws SealcamError `store-unavailable`
   */
  async eraseDue(nowMs: number, limit: number): Promise<number> {
    const { store } = this.deps;
    let erased = 0;
    for (const stored of await store.deletions.due(nowMs, limit)) {
      if (erased >= limit) break;
      erased += await this.eraseRange(stored, nowMs, limit - erased);
    }
    for (const mark of await store.accounts.due(nowMs, limit)) {
      if (erased >= limit) break;
      erased += await this.eraseAccount(mark, nowMs);
    }
    return erased;
  }

  private async eraseRange(stored: StoredDeletion, nowMs: number, limit: number): Promise<number> {
    const { store, statements, reader } = this.deps;
    const { device, epoch } = stored;
    const row = await store.claims.row(device, epoch);
    const isRequested = row !== undefined && equal(row.device, device) && row.epoch === epoch;
    const statement = isRequested ? await statements.checkDeletion(row, stored) : null;
    const erased = statement === null ? null : await store.deletions.erase(statement, limit);
    if (erased !== null) return erased;
    if (statement !== null && !(await this.isStored(stored))) return 0;
    this.deps.counters.add('erasing.in-doubt');
    if (statement !== null || !isRequested) {
      const reason = isRequested ? OTHER_RECORD : WRONG_CLAIM;
      await reader.reportMismatch(null, stored, { verdict: 'foreign', reason, bytes: stored.statement });
    }
    await store.deletions.postpone(stored, nowMs + DOUBT_RETRY_MS);
    return 0;
  }

  /** Returns false where the owner undid the deletion a moment ago. */
  private async isStored({ device, epoch, hash }: StoredDeletion): Promise<boolean> {
    return (await this.deps.store.deletions.of(device, epoch)).some((stored) => equal(stored.hash, hash));
  }

  private async eraseAccount(mark: AccountMark, nowMs: number): Promise<number> {
    const { store, suite, reader, log, counters } = this.deps;
    const { account, ownerKey } = mark;
    if (!equal(accountId(suite, ownerKey), account)) {
      counters.add('erasing.in-doubt');
      await reader.reportMismatch(null, null, { verdict: 'foreign', reason: OTHER_ACCOUNT, bytes: account });
      await store.accounts.postpone(account, nowMs + DOUBT_RETRY_MS);
      return 0;
    }
    if (!(await store.accounts.beginErasing(account))) return 0;
    let erased = 0;
    let skipped = 0;
    for (const row of await store.accounts.claims(account)) {
      // The rows of an epoch that was erased before hold no claim any longer.
      if (row.claim === null) continue;
      if (await reader.isOwner(ownerKey, row)) erased += await this.eraseEpoch(row);
      else skipped++;
    }
    log.warn({ account: toHex(account), records: erased, skipped }, 'a deleted account was erased');
    if (skipped === 0) {
      await store.accounts.finishErasing(account);
      return erased;
    }
    // It stays marked, and so hidden, until nothing in it is in doubt.
    counters.add('erasing.in-doubt');
    await store.accounts.postpone(account, nowMs + DOUBT_RETRY_MS);
    return erased;
  }

  private eraseEpoch(row: ClaimRow): Promise<number> {
    const { store, suite, reader } = this.deps;
    const { device, epoch, claimHash } = row;
    const readers = reader.claimOf(row)?.recipients ?? [];
    const readerTokens = readers.map(({ ed25519 }) => readerToken(suite, claimHash, ed25519));
    return store.accounts.delete([{ device, epoch, readerTokens }]);
  }

  /** Signs the floor of an epoch; null, after an alarm, where its claim is in doubt or names no key of this cloud. */
  private async floorOf({ device, epoch, belowSeq }: Expirable, nowMs: number): Promise<Verified<Floor> | null> {
    const { store, suite, reader, periodMs } = this.deps;
    const row = await store.claims.row(device, epoch);
    const isRequested = row !== undefined && equal(row.device, device) && row.epoch === epoch;
    if (!isRequested || reader.claimOf(row) === null) {
      await this.reportDoubt({ device, epoch }, WRONG_CLAIM, row?.claim ?? NO_BYTES, nowMs);
      return null;
    }
    const { claimHash } = row;
    try {
      const signer = this.signers.forClaim(claimHash, row.claim);
      if (signer === null) throw new SealcamError('foreign', NO_KEY);
      return signObject(floorKind, suite, signer, { device, epoch, claimHash, belowSeq, sinceMs: nowMs, periodMs });
    } catch (error) {
      // Among them a clock that stands before the period has passed since 1970.
      await this.reportDoubt({ device, epoch }, asSealcamError(error).message, row.claim ?? NO_BYTES, nowMs);
      return null;
    }
  }

  /** Counts an epoch that retention leaves as it is, and raises the alarm once a day. */
  private async reportDoubt(at: EpochKey, reason: string, bytes: Uint8Array, nowMs: number): Promise<void> {
    const { counters, reader } = this.deps;
    counters.add('retention.in-doubt');
    const place = epochKey(at.device, at.epoch);
    const lastMs = this.doubts.get(place);
    if (lastMs !== undefined && Math.abs(nowMs - lastMs) < DOUBT_RETRY_MS) return;
    if (this.doubts.size >= DOUBTS_REMEMBERED_MAX) this.doubts.clear();
    this.doubts.set(place, nowMs);
    await reader.reportMismatch(null, at, { verdict: 'foreign', reason: `retention: ${reason}`, bytes });
  }
}
