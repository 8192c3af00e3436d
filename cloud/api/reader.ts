import { equal, toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Log } from '../../common/log.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { claimKind, type Claim } from '../../protocol/objects/claim.js';
import { accountId } from '../../protocol/objects/ids.js';
import { recordKind, type SealcamRecord } from '../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import { checkBinding } from '../../protocol/verify/binding.js';
import { checkContinuity, type Continuity } from '../../protocol/verify/continuity.js';
import { isMediaOf } from '../../protocol/verify/media.js';
import type { Verdict } from '../../protocol/verify/verdict.js';
import { MakerList } from '../trust/maker-list.js';
import { Refusals } from '../alarms/refusals.js';
import type { AccessEntry, ClaimRow, CloudStore, NewMedia, StoredRecord } from '../store/store.js';

/** By claim hash. What is kept is what an owner signed, so it can be old but never another's. */
const CLAIMS_KEPT = 10_000;
const NOTHING = new Uint8Array(0);
const NO_READER = 'the claim of this epoch does not name the reader';
const WRONG_MEDIA = 'media that is not the one the record names';

export interface ReaderDependencies {
  readonly store: CloudStore;
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  /** Left out where no maker's list is configured; devices that one named before stay revoked. */
  readonly makerList?: MakerList;
}

/** A record as it may be shown to somebody, verified a moment ago. */
export interface ReadRecord {
  readonly id: number;
  readonly record: Verified<SealcamRecord>;
  readonly receivedAtMs: number;
  readonly continuity: Continuity;
  readonly media: readonly { readonly id: Uint8Array; readonly isAvailable: boolean }[];
}

/**
 * The only way from the store to a reader. Each read asks the claim row of the record's own epoch anew, verifies the
 * record again, and writes the access log before anything is handed out; what does not verify raises an alarm and is not shown.
 */
export class Reader {
  private readonly deps: ReaderDependencies;
  private readonly refusals: Refusals;
  private readonly makerList: MakerList;
  private readonly claims = new Map<string, Claim>();

  constructor(deps: ReaderDependencies) {
    this.deps = deps;
    this.refusals = new Refusals(deps);
    this.makerList = deps.makerList ?? new MakerList({ key: null, maxAgeMs: 0 }, deps);
  }

  /**
   * The kill switch, asked anew each time: the reader's own account, and the account of what is read. An error here is an
   * error of the read: a switch that cannot be asked shows nothing. The same holds for a maker's list that is not current.
   * @throws SealcamError `reads-paused`, `revocation-stale`
   */
  async gate(key: Uint8Array, account: Uint8Array | null = null): Promise<void> {
    const { store, suite, counters } = this.deps;
    await this.makerList.check();
    const own = accountId(suite, key);
    const pause = await store.reads.pauseOf(account === null ? [own] : [own, account]);
    if (pause === undefined) return;
    counters.add('reads.paused');
    throw new SealcamError('reads-paused', pause.sentence);
  }

  /** Epochs that this key may read: not revoked, and without those of other accounts that are paused. @throws SealcamError `reads-paused` */
  async epochs(key: Uint8Array): Promise<readonly ClaimRow[]> {
    await this.gate(key);
    const { claims, reads } = this.deps.store;
    const rows: ClaimRow[] = [];
    for (const row of await claims.readableBy(key)) {
      if (row.claim === null || (await this.isRevoked(row))) continue;
      if ((await this.mayRead(key, row)) && (await reads.pauseOf([row.account])) === undefined) rows.push(row);
    }
    return rows;
  }

  /** What a member is told while another account, whose cameras this key may read, is paused; else null. */
  async notice(key: Uint8Array): Promise<string | null> {
    const { claims, reads } = this.deps.store;
    const rows = await claims.readableBy(key);
    return rows.length === 0 ? null : ((await reads.pauseOf(rows.map(({ account }) => account)))?.sentence ?? null);
  }

  /**
   * @throws SealcamError `not-found`: whoever may not see a thing does not learn that it exists
   * @throws SealcamError `reads-paused`
   */
  async rowFor(key: Uint8Array, device: Uint8Array, epoch: number): Promise<ClaimRow> {
    const { claims } = this.deps.store;
    const row = (await claims.isMember(device, epoch, key)) ? await claims.row(device, epoch) : undefined;
    if (row === undefined || (await this.isRevoked(row))) throw new SealcamError('not-found', 'no such camera');
    const isAsked = equal(row.device, device) && row.epoch === epoch;
    if (!isAsked) await this.alarm(key, row, 'foreign', 'the row of another epoch was answered', row.claim ?? NOTHING);
    if (!isAsked || !(await this.mayRead(key, row))) throw new SealcamError('not-found', 'no such camera');
    await this.gate(key, row.account);
    return row;
  }

  /**
   * Whether the claim inside the row, signed by the owner, is of this very epoch and names the key. The table of members
   * only finds rows: one that is mixed up lets nobody in, and raises an alarm.
   */
  async mayRead(key: Uint8Array, row: ClaimRow): Promise<boolean> {
    const claim = this.claimIn(row);
    const isOfRow = claim !== null && equal(claim.device, row.device) && claim.epoch === row.epoch;
    if (isOfRow && claim.recipients.some(({ ed25519 }) => equal(ed25519, key))) return true;
    await this.alarm(
      key,
      row,
      'foreign',
      isOfRow ? NO_READER : 'the claim is not that of the row',
      row.claim ?? NOTHING,
    );
    return false;
  }

  async page(key: Uint8Array, row: ClaimRow, before: number, limit: number): Promise<readonly ReadRecord[]> {
    const stored = await this.deps.store.records.page(row.device, row.epoch, before, limit);
    return this.show(key, row, stored, 'records');
  }

  /** Verifies stored records against a row that was just read, logs them, and gives those that may be shown. */
  async show(
    key: Uint8Array,
    row: ClaimRow,
    stored: readonly StoredRecord[],
    what: AccessEntry['what'],
  ): Promise<readonly ReadRecord[]> {
    await this.gate(key, row.account);
    if (await this.isRevoked(row)) return [];
    const shown: ReadRecord[] = [];
    for (const item of stored) {
      const read = await this.verify(key, row, item);
      if (read !== null) shown.push(read);
    }
    const seqs = shown.map(({ record }) => record.value.seq);
    if (seqs.length > 0) {
      await this.logAccess(key, row, what, { from: Math.min(...seqs), to: Math.max(...seqs) }, null);
    }
    return shown;
  }

  /** A record for an export, with its sealed objects in the record's order; null for one that is not there. */
  async exported(
    key: Uint8Array,
    row: ClaimRow,
    stored: StoredRecord,
    media: readonly NewMedia[],
  ): Promise<{ readonly read: ReadRecord; readonly media: readonly (SealedObject | null)[] } | null> {
    const [read] = await this.show(key, row, [stored], 'export');
    if (read === undefined) return null;
    const { seq } = read.record.value;
    const out: (SealedObject | null)[] = [];
    for (const named of read.record.value.media ?? []) {
      const found = media.find(({ id }) => equal(id, named.id))?.sealed ?? null;
      const isRight = found !== null && isMediaOf(this.deps.suite, named, found);
      if (found !== null && !isRight) await this.alarm(key, row, 'malformed', WRONG_MEDIA, read.record.bytes);
      if (isRight) await this.logAccess(key, row, 'export', { from: seq, to: seq }, named.id);
      out.push(isRight ? found : null);
    }
    return { read, media: out };
  }

  /** The newest health record of an epoch; null if there is none that may be shown. */
  async health(key: Uint8Array, row: ClaimRow, what: AccessEntry['what']): Promise<ReadRecord | null> {
    const stored = await this.deps.store.records.latestHealth(row.device, row.epoch);
    const [read] = stored === undefined ? [] : await this.show(key, row, [stored], what);
    return read ?? null;
  }

  /** A sealed object. @throws SealcamError `not-found` */
  async media(key: Uint8Array, row: ClaimRow, id: Uint8Array): Promise<SealedObject> {
    await this.gate(key, row.account);
    if (await this.isRevoked(row)) throw new SealcamError('not-found', 'no such media');
    const { records } = this.deps.store;
    const found = await records.media(row.device, row.epoch, id);
    const stored = found === undefined ? undefined : await records.get(row.device, row.epoch, found.seq);
    const read = stored === undefined ? null : await this.verify(key, row, stored);
    const named = read?.record.value.media?.find((media) => equal(media.id, id));
    if (found === undefined || read === null || named === undefined)
      throw new SealcamError('not-found', 'no such media');
    if (!isMediaOf(this.deps.suite, named, found.sealed)) {
      await this.alarm(key, row, 'malformed', WRONG_MEDIA, read.record.bytes);
      throw new SealcamError('not-found', 'no such media');
    }
    await this.logAccess(key, row, 'media', { from: found.seq, to: found.seq }, id);
    return found.sealed;
  }

  /** Null for what must not be shown. */
  private async verify(key: Uint8Array, row: ClaimRow, stored: StoredRecord): Promise<ReadRecord | null> {
    const { store, suite } = this.deps;
    let record: Verified<SealcamRecord>;
    try {
      record = openSigned(recordKind, suite, stored.bytes);
    } catch (error) {
      const { code, message } = asSealcamError(error);
      await this.alarm(
        key,
        row,
        code === 'foreign' || code === 'unsupported' ? code : 'malformed',
        message,
        stored.bytes,
      );
      return null;
    }
    const { value, hash } = record;
    const isKeyed = equal(value.device, stored.device) && value.epoch === stored.epoch && value.seq === stored.seq;
    const binding = isKeyed && equal(hash, stored.hash) ? checkBinding(value, row) : 'foreign';
    if (binding !== 'bound') {
      await this.alarm(key, row, binding, 'not of the claim row of its epoch', stored.bytes);
      return null;
    }
    if (!(await this.mayRead(key, row))) return null;
    const continuity = checkContinuity(value, await store.records.chainFacts(value.device, value.epoch, value.seq));
    if (continuity.verdict === 'equivocation') {
      await this.alarm(key, row, 'equivocation', 'not the record that the next one follows', stored.bytes);
      return null;
    }
    const ids = (value.media ?? []).map(({ id }) => id);
    const present = ids.length === 0 ? [] : await store.records.mediaPresent(value.device, value.epoch, ids);
    const media = ids.map((id, i) => ({ id, isAvailable: present[i] === true }));
    return { id: stored.id, record, receivedAtMs: stored.receivedAtMs, continuity, media };
  }

  private async isRevoked({ state, device }: ClaimRow): Promise<boolean> {
    return state === 'revoked' || this.makerList.isRevoked(device);
  }

  /** Verified once for each hash. */
  private claimIn({ claim: bytes, claimHash }: ClaimRow): Claim | null {
    const name = toHex(claimHash);
    const known = this.claims.get(name);
    if (known !== undefined) return known;
    try {
      const claim = openSigned(claimKind, this.deps.suite, bytes ?? NOTHING);
      if (!equal(claim.hash, claimHash)) return null;
      if (this.claims.size >= CLAIMS_KEPT) this.claims.clear();
      this.claims.set(name, claim.value);
      return claim.value;
    } catch {
      return null;
    }
  }

  /** Whether a camera has been silent for two cadences. */
  isIncomplete(lastReceivedAtMs: number, row: ClaimRow): boolean {
    return row.state === 'open' && this.deps.clock.wallMs() - lastReceivedAtMs > 2 * LIMITS.healthCadenceMs;
  }

  private async logAccess(
    reader: Uint8Array,
    { device, epoch }: ClaimRow,
    what: AccessEntry['what'],
    seqs: { readonly from: number; readonly to: number },
    mediaId: Uint8Array | null,
  ): Promise<void> {
    const { store, clock } = this.deps;
    await store.access.append([
      { atMs: clock.wallMs(), reader, device, epoch, what, fromSeq: seqs.from, toSeq: seqs.to, mediaId },
    ]);
  }

  private alarm(key: Uint8Array, row: ClaimRow, verdict: Verdict, reason: string, bytes: Uint8Array): Promise<void> {
    const { device, epoch } = row;
    const reader = accountId(this.deps.suite, key);
    return this.refusals.recordRefusal({ place: 'read', verdict, device, epoch, reader, reason, bytes });
  }
}
