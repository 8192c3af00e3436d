import { equal, fromHex, toHex } from '../../common/bytes.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import type { KnownSignatures } from '../../protocol/crypto/known-signatures.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import {
  anyClaimKind,
  checkClaimSuccession,
  mayOrder,
  type AnyClaim,
  type Recipient,
} from '../../protocol/objects/claim.js';
import { deletionKind, type Deletion } from '../../protocol/objects/deletion.js';
import { floorKind, type Floor } from '../../protocol/objects/floor.js';
import { epochKey, HASH_BYTES } from '../../protocol/objects/ids.js';
import type { Look } from '../../protocol/objects/look.js';
import { anyRecordKind, recordKind, type AnyRecord } from '../../protocol/objects/record.js';
import { revocationKind } from '../../protocol/objects/revocation.js';
import { rulesOf } from '../../protocol/objects/record-kinds.js';
import { openSigned, versionOf, type Verified } from '../../protocol/objects/signed-object.js';
import { checkBinding } from '../../protocol/verify/binding.js';
import type { Continuity } from '../../protocol/verify/continuity.js';
import { History, type Explanation, type PeriodState } from '../../protocol/verify/history.js';
import { openAnsweredLook } from '../../protocol/verify/orders.js';
import type { Verdict } from '../../protocol/verify/verdict.js';
import { parseSign1 } from '../../protocol/wire/cose.js';
import { Households, type Invitation } from './households.js';
import { signedMs } from './plausible-time.js';
import { RetentionPromise } from './retention-promise.js';
import type { HistoryStorage, KnownEpoch } from './storage.js';

/** A record that this page verified itself. */
export interface VerifiedRecord {
  readonly record: Verified<AnyRecord>;
  /** When the cloud received it, by the cloud's clock. */
  readonly receivedAtMs: number;
}

/** Why something the cloud sent must not be shown. */
export interface Refusal {
  readonly verdict: Verdict;
  readonly code: string;
  readonly message: string;
  /** The camera and epoch that the record names; null if it cannot be read. */
  readonly about: EpochName | null;
}

/** A camera and epoch. */
export interface EpochName {
  /** Hex of the device id. */
  readonly device: string;
  readonly epoch: number;
}

const REVOKED = 'revoked';
const REVOCATION_VERSION = 'revocation-version';

const DOWNGRADE = 'a claim of version 1 after one of version 2';

export interface HistoryOptions {
  /** Those of the suite, where a page of records can be verified at once. */
  readonly signatures?: KnownSignatures;
  /** Returns the hash of this person's KEM key. Without it no claim of version 2 is taken that names this person. */
  readonly kemHash?: () => Promise<Uint8Array>;
}

/**
 * Verifies everything the cloud sends. It trusts claims that this owner or an accepted household signed, records that
 * the claimed camera signed for that claim, and its own memory of each history's head. It trusts nothing else from the
 * cloud.
 */
export class HistoryKeeper {
  /** How long the cloud promised to keep records. */
  readonly promise: RetentionPromise;
  private readonly suite: CryptoSuite;
  private readonly signatures: KnownSignatures | null;
  private readonly storage: HistoryStorage;
  private readonly own: Recipient;
  private readonly history = new History();
  private readonly claims = new Map<string, Verified<AnyClaim>>();
  private readonly known = new Map<string, KnownEpoch>();
  private readonly households: Households;
  /** Ownerships that a tombstone ended, as device/epoch. */
  private readonly ended = new Set<string>();
  /** Ownerships that this person revoked. They stay revoked whatever the cloud sends later. */
  private revoked: readonly string[] = [];
  /** Version of the newest revocation list that this browser signed; 0 before the first. */
  revocationVersion = 0;

  /** @param own the public keys of this person, as a claim of version 1 would name them */
  constructor(suite: CryptoSuite, storage: HistoryStorage, own: Recipient, options: HistoryOptions = {}) {
    this.suite = suite;
    this.signatures = options.signatures ?? null;
    this.storage = storage;
    this.households = new Households(suite, storage, { ...own, kemHash: options.kemHash ?? null });
    this.promise = new RetentionPromise(storage);
    this.own = own;
  }

  /** Loads what this device knows. Call it once, before anything else. */
  async load(): Promise<void> {
    await this.households.load();
    this.revoked = ((await this.storage.setting(REVOKED)) ?? '').split(' ').filter((key) => key !== '');
    this.revocationVersion = Number((await this.storage.setting(REVOCATION_VERSION)) ?? 0);
    for (const epoch of await this.storage.epochs()) this.addEpoch(epoch);
    await this.promise.load();
  }

  /** Remembers that this person revoked an ownership, with the list of this version. */
  async recordRevocation(device: Uint8Array, epoch: number, listVersion: number): Promise<void> {
    const key = epochKey(device, epoch);
    if (!this.revoked.includes(key)) this.revoked = [...this.revoked, key];
    await this.storage.saveSetting(REVOKED, this.revoked.join(' '));
    if (listVersion > this.revocationVersion) this.revocationVersion = listVersion;
    await this.storage.saveSetting(REVOCATION_VERSION, String(this.revocationVersion));
  }

  /**
   * Learns what another browser of this owner revoked, from the newest list as the cloud hands it out.
   * @throws SealcamError `cloud-lied` if it is not a list of this owner; `malformed`, `bad-signature`, …
   */
  async addRevocations(bytes: Uint8Array): Promise<void> {
    const { value, kid } = openSigned(revocationKind, this.suite, bytes);
    if (value.scope !== 'owner' || !equal(kid, this.own.ed25519)) {
      throw new SealcamError('cloud-lied', "the cloud answered with a revocation list that is not this owner's");
    }
    for (const { device, epoch } of value.entries) {
      if (epoch !== undefined) await this.recordRevocation(device, epoch, value.listVersion);
    }
  }

  /** Returns every ownership that this person is known to have revoked, oldest first. */
  revocations(): readonly { readonly device: Uint8Array; readonly epoch: number }[] {
    return this.revoked.flatMap((key) => {
      const [hex = '', epoch] = key.split('/');
      const device = fromHex(hex, HASH_BYTES);
      return device === undefined ? [] : [{ device, epoch: Number(epoch) }];
    });
  }

  /** Returns the invitations that this person has not accepted. */
  invited(): readonly Invitation[] {
    return this.households.invited();
  }

  /** Accepts a household: its owner's claims are now trusted where they name this person. */
  async accept(invitation: Pick<Invitation, 'ownerKey'>): Promise<void> {
    await this.households.accept(invitation);
  }

  /** Returns the accounts (hex) of the households that this person accepted. */
  acceptedAccounts(): readonly string[] {
    return this.households.acceptedAccounts();
  }

  /** Returns whether this browser has the root key of a camera's claim, which alone signs claims and what ends them. */
  isOwned(device: Uint8Array, epoch: number): boolean {
    const claim = this.claimOf(device, epoch);
    return claim !== null && equal(claim.value.ownerKey, this.own.ed25519);
  }

  /** Returns whether the claim of an epoch lets this browser give orders: one of the owner's, with the root key or without. */
  mayOrder(device: Uint8Array, epoch: number): boolean {
    const claim = this.claimOf(device, epoch);
    return claim !== null && mayOrder(claim.value, this.own.ed25519);
  }

  /** Returns whether the claim of an epoch lets this browser look: one of version 2 that names it, in whatever role. */
  mayLook(device: Uint8Array, epoch: number): boolean {
    const claim = this.claimOf(device, epoch);
    if (claim === null || versionOf(claim.value) === 1) return false;
    return claim.value.recipients.some(({ ed25519 }) => equal(ed25519, this.own.ed25519));
  }

  /**
   * Returns the order to look that a verified record answers; null where it answers none.
   * @throws SealcamError `command-refused` where no member gave it; `malformed`, `bad-signature`, …
   */
  lookIn({ value }: Verified<AnyRecord>): Verified<Look> | null {
    const claim = this.claimOf(value.device, value.epoch);
    return claim === null ? null : openAnsweredLook(this.suite, value, claim);
  }

  /** Returns seq and hash of the highest verified record of an epoch, or null. */
  headOf(device: Uint8Array, epoch: number): KnownEpoch['head'] {
    return this.known.get(epochKey(device, epoch))?.head ?? null;
  }

  /** Returns whether this ownership is over, by the camera's tombstone or by revocation. */
  hasEnded(device: Uint8Array, epoch: number): boolean {
    const key = epochKey(device, epoch);
    return this.ended.has(key) || this.revoked.includes(key);
  }

  /**
   * Verifies a claim and adds it, if this owner or an accepted household signed it.
   * @throws SealcamError `foreign`, `household-unknown`, `malformed`, …; `recipient-swapped` where the claim names this person
   *   beside another encryption key, to which the pictures would be sealed; `claim-downgrade`
   */
  async addClaim(bytes: Uint8Array): Promise<Verified<AnyClaim>> {
    const claim = openSigned(anyClaimKind, this.suite, bytes);
    await this.households.check(claim.value);
    if (!this.maySucceed(claim.value)) throw new SealcamError('claim-downgrade', DOWNGRADE);
    const device = toHex(claim.value.device);
    const key = epochKey(device, claim.value.epoch);
    const before = this.claims.get(key);
    if (before !== undefined) {
      if (equal(before.hash, claim.hash)) return before;
      // The owner may have signed again after a claim window closed unused. A claim that the camera accepted stays.
      if (this.known.get(key)?.isAccepted === true) {
        throw new SealcamError('foreign', 'another claim for an epoch that the camera accepted');
      }
    }
    const epoch = { device, epoch: claim.value.epoch, claim: claim.bytes, isAccepted: false, head: null };
    this.addEpoch(epoch);
    await this.storage.saveEpoch(epoch);
    return claim;
  }

  /** Returns the claim of an epoch, or null. */
  claimOf(device: Uint8Array, epoch: number): Verified<AnyClaim> | null {
    return this.claims.get(epochKey(device, epoch)) ?? null;
  }

  /** Returns whether a claim does not go back to version 1 after one of version 2 that the camera accepted from the same owner. */
  maySucceed(claim: AnyClaim): boolean {
    return [...this.claims.values()].every(
      ({ value }) =>
        !equal(value.device, claim.device) ||
        value.epoch >= claim.epoch ||
        !this.isAccepted(value.device, value.epoch) ||
        !isDowngrade(value, claim),
    );
  }

  /** Returns whether a record of the camera proved that it accepted the claim. */
  isAccepted(device: Uint8Array, epoch: number): boolean {
    return this.known.get(epochKey(device, epoch))?.isAccepted === true;
  }

  /** Verifies the signatures of these records together, so that each is known when it is applied. Never rejects. */
  async verifyAhead(records: readonly Uint8Array[]): Promise<void> {
    await this.signatures?.verifyAhead(
      records.flatMap((bytes) => {
        try {
          const { kid, sigStructure, signature } = parseSign1(bytes, recordKind.domain, recordKind.maxBytes);
          return [{ publicKey: kid, message: sigStructure, signature }];
        } catch {
          // It is refused, and named, where it is applied.
          return [];
        }
      }),
    );
  }

  /** Verifies one record and adds it to the history. Returns the refusal if it must not be shown. */
  async verifyAndApply(bytes: Uint8Array, receivedAtMs: number): Promise<VerifiedRecord | Refusal> {
    const record = this.openRecord(bytes);
    if ('verdict' in record) return record;
    const { device, epoch, seq, kind } = record.value;
    const about = { device: toHex(device), epoch };
    const refusal = this.checkClaim(record, about);
    if (refusal !== null) return refusal;
    const isOtherKey = kind === 'key' && this.history.hashOf(device, epoch, seq) === undefined;
    if (this.history.add(record) === 'equivocation') {
      const message = isOtherKey ? 'two key records for one period' : `two records for seq ${String(seq)}`;
      return { verdict: 'equivocation', code: 'cloud-lied', message, about };
    }
    if (rulesOf(kind).isLast) this.ended.add(epochKey(device, epoch));
    await this.applyRecord(about.device, record, receivedAtMs);
    return { record, receivedAtMs };
  }

  /** Returns a record's continuity by what is known now; it may change as more records arrive. */
  continuityOf(record: Verified<AnyRecord>): Continuity {
    return this.history.continuityOf(record);
  }

  /** Returns what is known of the key record of a period. */
  periodOf(device: Uint8Array, epoch: number, periodId: Uint8Array): PeriodState {
    return this.history.periodOf(device, epoch, periodId);
  }

  /** Returns every epoch whose claim a record of its camera proved accepted, and that nobody revoked here. */
  accepted(): readonly KnownEpoch[] {
    return [...this.known.values()].filter(
      ({ device, epoch, isAccepted }) => isAccepted && !this.revoked.includes(epochKey(device, epoch)),
    );
  }

  /**
   * Verifies an owner's statement of deletion, after which the hole that it names is explained.
   * @throws SealcamError `claim-unknown`, `foreign`, `malformed`, …
   */
  addDeletion(bytes: Uint8Array): Deletion {
    const { value, kid } = openSigned(deletionKind, this.suite, bytes);
    const claim = this.claimNamed(value);
    if (!equal(kid, claim.ownerKey)) throw new SealcamError('foreign', 'a deletion that the owner did not sign');
    this.history.addDeletion(value);
    return value;
  }

  /**
   * Verifies a cloud's floor, after which the hole below it is explained.
   * @throws SealcamError `claim-unknown`, `foreign`, `malformed`, …
   */
  addFloor(bytes: Uint8Array): Floor {
    const { value, kid } = openSigned(floorKind, this.suite, bytes);
    const isNamed = this.claimNamed(value).receiptKeys.some((key) => equal(key, kid));
    if (!isNamed) throw new SealcamError('foreign', "a floor that none of the claim's receipt keys signed");
    this.history.addFloor(value);
    return value;
  }

  /** Returns who signed that these records are gone; null if nobody did. */
  explain(device: Uint8Array, epoch: number, fromSeq: number, toSeq: number): Explanation | null {
    return this.history.explain(device, epoch, fromSeq, toSeq);
  }

  /** Returns the highest seq of a health record with an empty queue: no record before it can still arrive. −1 without one. */
  drainedUpTo(device: Uint8Array, epoch: number): number {
    return this.history.drainedUpTo(device, epoch);
  }

  /** Returns the hash of a verified record, if it is known. */
  hashOf(device: Uint8Array, epoch: number, seq: number): Uint8Array | undefined {
    return this.history.hashOf(device, epoch, seq);
  }

  private claimNamed({ device, epoch, claimHash }: Pick<Floor, 'device' | 'epoch' | 'claimHash'>): AnyClaim {
    const claim = this.claimOf(device, epoch);
    if (claim === null) throw new SealcamError('foreign', 'a statement on an epoch that is not known here');
    if (!equal(claim.hash, claimHash)) throw new SealcamError('foreign', 'a statement on another claim');
    return claim.value;
  }

  private openRecord(bytes: Uint8Array): Verified<AnyRecord> | Refusal {
    try {
      return openSigned(anyRecordKind, this.suite, bytes);
    } catch (error) {
      if (!isSealcamError(error)) throw error;
      const { code, message } = error;
      return { verdict: code === 'foreign' || code === 'unsupported' ? code : 'malformed', code, message, about: null };
    }
  }

  /** Returns why a record is not covered by a claim that this page trusts; null if it is. */
  private checkClaim({ value }: Verified<AnyRecord>, about: EpochName): Refusal | null {
    const { device, epoch } = value;
    const claim = this.claimOf(device, epoch);
    if (claim === null && this.households.isInvited(device, epoch)) {
      const message = 'from a household that was not accepted';
      return { verdict: 'foreign', code: 'household-unknown', message, about };
    }
    const message = 'not from a camera of this owner';
    if (claim === null) return { verdict: 'foreign', code: 'claim-unknown', message, about };
    if (this.revoked.includes(epochKey(device, epoch))) {
      return { verdict: 'revoked', code: 'revoked', message: 'from an ownership that was revoked here', about };
    }
    const binding = checkBinding(value, bindingOf(claim));
    if (binding !== 'bound') return { verdict: binding, code: binding, message, about };
    // Here too: the claim before may have arrived after this one.
    if (!this.maySucceed(claim.value))
      return { verdict: 'foreign', code: 'claim-downgrade', message: DOWNGRADE, about };
    return null;
  }

  private async applyRecord(device: string, record: Verified<AnyRecord>, receivedAtMs: number): Promise<void> {
    const { value, hash, bytes } = record;
    const key = epochKey(device, value.epoch);
    const known = this.known.get(key);
    if (known === undefined) return;
    const isNewest = known.head === null || known.head.seq < value.seq;
    const isAccept = rulesOf(value.kind).isFirst && known.accept === undefined;
    if (known.isAccepted && !isNewest && !isAccept) return;
    const head = isNewest ? { seq: value.seq, hash, atMs: signedMs(value, receivedAtMs) } : known.head;
    const next = { ...known, isAccepted: true, head, ...(isAccept ? { accept: bytes } : {}) };
    this.known.set(key, next);
    await this.storage.saveEpoch(next);
  }

  private addEpoch(epoch: KnownEpoch): void {
    const claim = openSigned(anyClaimKind, this.suite, epoch.claim);
    const { ownerKey, recipients } = claim.value;
    // The root key's alone, where this browser keeps that apart from its own.
    if (![ownerKey, ...recipients.map(({ ed25519 }) => ed25519)].some((key) => equal(key, this.own.ed25519))) return;
    const key = epochKey(epoch.device, epoch.epoch);
    this.claims.set(key, claim);
    this.known.set(key, epoch);
    const { head } = epoch;
    if (head !== null) this.history.remember(claim.value.device, epoch.epoch, head.seq, head.hash);
  }
}

function isDowngrade(before: AnyClaim, next: AnyClaim): boolean {
  try {
    checkClaimSuccession(before, next);
    return false;
  } catch (error) {
    if (!isSealcamError(error) || error.code !== 'claim-downgrade') throw error;
    return true;
  }
}

function bindingOf({ value, hash }: Verified<AnyClaim>): Parameters<typeof checkBinding>[1] {
  const { device, account, epoch } = value;
  return { device, account, epoch, claimHash: hash, version: versionOf(value), state: 'open', closedAtSeq: null };
}
