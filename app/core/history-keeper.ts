import { equal, toHex } from '../../common/bytes.js';
import { asSealcamError, isSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { claimKind, type Claim } from '../../protocol/objects/claim.js';
import { recordKind, type SealcamRecord } from '../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../protocol/objects/signed-object.js';
import { checkBinding } from '../../protocol/verify/binding.js';
import type { Continuity } from '../../protocol/verify/continuity.js';
import { History } from '../../protocol/verify/history.js';
import type { Verdict } from '../../protocol/verify/verdict.js';
import type { AppStorage, KnownEpoch } from './storage.js';
import { epochKey } from '../../protocol/objects/ids.js';

/** A record that this page verified by itself. */
export interface VerifiedRecord {
  readonly record: Verified<SealcamRecord>;
  readonly receivedAtMs: number;
}

/** Something the cloud sent that must not be shown, and why. */
export interface Refusal {
  readonly verdict: Verdict;
  readonly code: string;
  readonly message: string;
  /** Whose the record says it is, if it can be read at all. */
  readonly about: EpochName | null;
}

export interface EpochName {
  /** Hex of the device id. */
  readonly device: string;
  readonly epoch: number;
}

/** An owner who names this person in claims. Until it is accepted nothing of it is shown. */
export interface Invitation {
  readonly ownerKey: Uint8Array;
  /** device/epoch */
  readonly cameras: readonly string[];
}

const HOUSEHOLDS = 'households';
const REVOKED = 'revoked';
const INVITATIONS_MAX = 16;
const INVITED_CAMERAS_MAX = 64;

/**
 * The page's own judge. It trusts claims that the owner's own key signed, records that the claimed camera signed for
 * that claim, and its own memory of how far each history went; of the cloud it trusts nothing.
 */
export class HistoryKeeper {
  private readonly suite: CryptoSuite;
  private readonly storage: AppStorage;
  private readonly ownerKey: Uint8Array;
  private readonly history = new History();
  private readonly claims = new Map<string, Verified<Claim>>();
  private readonly known = new Map<string, KnownEpoch>();
  /** Owners who showed this person their cameras, and whom this person accepted. */
  private households: readonly string[] = [];
  private readonly invitations = new Map<string, Invitation>();
  private readonly ended = new Set<string>();
  /** Ownerships that this person ended for good, whatever the cloud says of them later. */
  private revoked: readonly string[] = [];

  constructor(suite: CryptoSuite, storage: AppStorage, ownerKey: Uint8Array) {
    this.suite = suite;
    this.storage = storage;
    this.ownerKey = ownerKey;
  }

  async load(): Promise<void> {
    this.households = ((await this.storage.setting(HOUSEHOLDS)) ?? '').split(' ').filter((key) => key !== '');
    this.revoked = ((await this.storage.setting(REVOKED)) ?? '').split(' ').filter((key) => key !== '');
    for (const epoch of await this.storage.epochs()) this.addEpoch(epoch);
  }

  async noteRevoked(device: Uint8Array, epoch: number): Promise<void> {
    const key = epochKey(device, epoch);
    if (!this.revoked.includes(key)) this.revoked = [...this.revoked, key];
    await this.storage.saveSetting(REVOKED, this.revoked.join(' '));
  }

  /** Owners whose claims name this person, and whom this person has not accepted. */
  invited(): readonly Invitation[] {
    return [...this.invitations.values()];
  }

  /** From now on what this owner claims is shown, where it names this person. */
  async accept({ ownerKey }: Invitation): Promise<void> {
    this.households = [...this.households, toHex(ownerKey)];
    await this.storage.saveSetting(HOUSEHOLDS, this.households.join(' '));
    this.invitations.delete(toHex(ownerKey));
  }

  /** Whether this person owns a camera, and does not only see it. */
  isOwned(device: Uint8Array, epoch: number): boolean {
    const claim = this.claimOf(device, epoch);
    return claim !== null && equal(claim.value.ownerKey, this.ownerKey);
  }

  /** The highest verified record of an epoch. */
  headOf(device: Uint8Array, epoch: number): KnownEpoch['head'] {
    return this.known.get(epochKey(device, epoch))?.head ?? null;
  }

  /** Whether the camera said that this ownership is over. */
  hasEnded(device: Uint8Array, epoch: number): boolean {
    const key = epochKey(device, epoch);
    return this.ended.has(key) || this.revoked.includes(key);
  }

  /**
   * A claim of ours or of an accepted household, from this device or from the cloud.
   * @throws SealcamError `foreign`, `household-unknown`, `malformed`, …
   */
  async addClaim(bytes: Uint8Array): Promise<Verified<Claim>> {
    const claim = openSigned(claimKind, this.suite, bytes);
    this.checkOwner(claim);
    const device = toHex(claim.value.device);
    const key = epochKey(device, claim.value.epoch);
    const before = this.claims.get(key);
    if (before !== undefined) {
      if (equal(before.hash, claim.hash)) return before;
      // The owner may have signed again for a claim window that ended unused; what a camera accepted stays.
      if (this.known.get(key)?.isAccepted === true) {
        throw new SealcamError('foreign', 'another claim for an epoch that the camera accepted');
      }
    }
    const epoch = { device, epoch: claim.value.epoch, claim: claim.bytes, isAccepted: false, head: null };
    this.addEpoch(epoch);
    await this.storage.saveEpoch(epoch);
    return claim;
  }

  claimOf(device: Uint8Array, epoch: number): Verified<Claim> | null {
    return this.claims.get(epochKey(device, epoch)) ?? null;
  }

  isAccepted(device: Uint8Array, epoch: number): boolean {
    return this.known.get(epochKey(device, epoch))?.isAccepted === true;
  }

  /** Verifies one record; remembers it as the head if it is the newest. */
  async verifyAndApply(bytes: Uint8Array, receivedAtMs: number): Promise<VerifiedRecord | Refusal> {
    let record: Verified<SealcamRecord>;
    try {
      record = openSigned(recordKind, this.suite, bytes);
    } catch (error) {
      if (!isSealcamError(error)) throw error;
      const { code, message } = asSealcamError(error);
      return { verdict: code === 'foreign' || code === 'unsupported' ? code : 'malformed', code, message, about: null };
    }
    const { device, epoch } = record.value;
    const claim = this.claimOf(device, epoch);
    const about = { device: toHex(device), epoch };
    if (claim === null && this.isInvited(device, epoch)) {
      return { verdict: 'foreign', code: 'household-unknown', message: 'of a household that was not accepted', about };
    }
    const message = 'not of a camera of this owner';
    if (claim === null) return { verdict: 'foreign', code: 'claim-unknown', message, about };
    if (this.revoked.includes(epochKey(device, epoch))) {
      return { verdict: 'revoked', code: 'revoked', message: 'of an ownership that was revoked here', about };
    }
    const binding = checkBinding(record.value, bindingOf(claim));
    if (binding !== 'bound') return { verdict: binding, code: binding, message, about };
    if (this.history.add(record) === 'equivocation') {
      return {
        verdict: 'equivocation',
        code: 'cloud-lied',
        message: `two records for seq ${String(record.value.seq)}`,
        about,
      };
    }
    if (record.value.kind === 'tombstone') this.ended.add(epochKey(device, epoch));
    await this.applyRecord(toHex(device), record);
    return { record, receivedAtMs };
  }

  /** May change as more of the history arrives. */
  continuityOf(record: Verified<SealcamRecord>): Continuity {
    return this.history.continuityOf(record);
  }

  /** How far each history was seen here, by device (hex) / epoch. */
  heads(): ReadonlyMap<string, number> {
    return new Map([...this.known].flatMap(([place, { head }]) => (head === null ? [] : [[place, head.seq]])));
  }

  /**
   * Whether the cloud shows less of a history than this device had seen when it asked.
   * @throws SealcamError `cloud-lied`
   */
  checkHead(device: Uint8Array, epoch: number, highestSeq: number | null, heads = this.heads()): void {
    const head = heads.get(epochKey(device, epoch));
    if (head === undefined || (highestSeq !== null && highestSeq >= head)) return;
    throw new SealcamError('cloud-lied', `the cloud ends at ${String(highestSeq)}, but ${String(head)} was seen here`);
  }

  /** The cloud may hand out any claim; only this person's own word, now or when the household was accepted, makes one count. */
  private checkOwner({ value }: Verified<Claim>): void {
    const { device, epoch, ownerKey, recipients } = value;
    if (equal(ownerKey, this.ownerKey)) return;
    const isNamed = recipients.some(({ ed25519 }) => equal(ed25519, this.ownerKey));
    if (!isNamed) throw new SealcamError('foreign', 'a claim that neither this owner signed nor names this person');
    if (this.households.includes(toHex(ownerKey))) return;
    const known = this.invitations.get(toHex(ownerKey)) ?? { ownerKey, cameras: [] };
    const camera = epochKey(device, epoch);
    if (!known.cameras.includes(camera) && this.invitations.size < INVITATIONS_MAX) {
      const cameras = [...known.cameras, camera].slice(-INVITED_CAMERAS_MAX);
      this.invitations.set(toHex(ownerKey), { ownerKey, cameras });
    }
    throw new SealcamError('household-unknown', 'a claim of a household that was not accepted');
  }

  private isInvited(device: Uint8Array, epoch: number): boolean {
    const camera = epochKey(device, epoch);
    return [...this.invitations.values()].some(({ cameras }) => cameras.includes(camera));
  }

  private async applyRecord(device: string, { value, hash }: Verified<SealcamRecord>): Promise<void> {
    const key = epochKey(device, value.epoch);
    const known = this.known.get(key);
    if (known === undefined || (known.isAccepted && known.head !== null && known.head.seq >= value.seq)) return;
    const head = known.head !== null && known.head.seq >= value.seq ? known.head : { seq: value.seq, hash };
    const next = { ...known, isAccepted: true, head };
    this.known.set(key, next);
    await this.storage.saveEpoch(next);
  }

  private addEpoch(epoch: KnownEpoch): void {
    const claim = openSigned(claimKind, this.suite, epoch.claim);
    const key = epochKey(epoch.device, epoch.epoch);
    this.claims.set(key, claim);
    this.known.set(key, epoch);
    const { head } = epoch;
    if (head !== null) this.history.remember(claim.value.device, epoch.epoch, head.seq, head.hash);
  }
}

function bindingOf({ value, hash }: Verified<Claim>): Parameters<typeof checkBinding>[1] {
  const { device, account, epoch } = value;
  return { device, account, epoch, claimHash: hash, state: 'open', closedAtSeq: null };
}
