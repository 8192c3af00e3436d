import { equal, fromHex, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { AnyClaim, Recipient } from '../../protocol/objects/claim.js';
import { accountId, epochKey, KEY_BYTES } from '../../protocol/objects/ids.js';
import type { HistoryStorage } from './storage.js';

/** An owner whose claims name this person. Nothing of that household is shown until this person accepts it. */
export interface Invitation {
  readonly ownerKey: Uint8Array;
  /** device/epoch */
  readonly cameras: readonly string[];
  /** Whether a claim gives this browser the role of an owner: it would be another browser of that owner. */
  readonly isOwnBrowser: boolean;
}

/** This person, as claims name them. */
export interface OwnNames extends Recipient {
  /** Returns the hash of the own KEM key; null on a page that has none, and then takes no claim of version 2. */
  readonly kemHash: (() => Promise<Uint8Array>) | null;
}

/** Setting, `yes` in a browser that was set up as a further one of its owner: it has keys of its own, another has the root key. */
export const FURTHER_SETTING = 'further-browser';

const HOUSEHOLDS = 'households';
const INVITATIONS_MAX = 16;
const INVITED_CAMERAS_MAX = 64;

/** Whose claims this page trusts: this person's own, and those of the households that this person accepted. */
export class Households {
  private readonly suite: CryptoSuite;
  private readonly storage: HistoryStorage;
  private readonly own: OwnNames;
  /** Owner keys (hex) of the households that this person accepted. */
  private accepted: readonly string[] = [];
  private readonly invitations = new Map<string, Invitation>();

  constructor(suite: CryptoSuite, storage: HistoryStorage, own: OwnNames) {
    this.suite = suite;
    this.storage = storage;
    this.own = own;
  }

  async load(): Promise<void> {
    this.accepted = ((await this.storage.setting(HOUSEHOLDS)) ?? '').split(' ').filter((key) => key !== '');
  }

  /** Returns the invitations that this person has not accepted. */
  invited(): readonly Invitation[] {
    return [...this.invitations.values()].filter(({ ownerKey }) => !this.hasAccepted(ownerKey));
  }

  /** Returns whether a claim of this epoch came as an invitation, also after that was accepted: its claim is asked for again then. */
  isInvited(device: Uint8Array, epoch: number): boolean {
    const camera = epochKey(device, epoch);
    return [...this.invitations.values()].some(({ cameras }) => cameras.includes(camera));
  }

  async accept({ ownerKey }: Pick<Invitation, 'ownerKey'>): Promise<void> {
    this.accepted = [...this.accepted, toHex(ownerKey)];
    await this.storage.saveSetting(HOUSEHOLDS, this.accepted.join(' '));
  }

  /** Returns the accounts (hex) of the households that this person accepted. */
  acceptedAccounts(): readonly string[] {
    return this.accepted.flatMap((hex) => {
      const key = fromHex(hex, KEY_BYTES);
      return key === undefined ? [] : [toHex(accountId(this.suite, key))];
    });
  }

  /**
   * The cloud can send any claim. Only claims of this person or of a household that this person accepted count.
   * @throws SealcamError `recipient-swapped`, `foreign`, `household-unknown`; `cloud-unreachable` where the own KEM key could
   *   not be made
   */
  async check({ device, epoch, ownerKey, recipients }: AnyClaim): Promise<void> {
    const named = recipients.find(({ ed25519 }) => equal(ed25519, this.own.ed25519));
    if (named !== undefined && !(await this.isSealedToOwn(named))) {
      throw new SealcamError('recipient-swapped', 'a claim names this person beside an encryption key of someone else');
    }
    if (equal(ownerKey, this.own.ed25519)) return;
    if (named === undefined)
      throw new SealcamError('foreign', 'a claim that this owner did not sign and that does not name this person');
    if (this.hasAccepted(ownerKey)) return;
    const known = this.invitations.get(toHex(ownerKey)) ?? { ownerKey, cameras: [], isOwnBrowser: false };
    const camera = epochKey(device, epoch);
    if (!known.cameras.includes(camera) && this.invited().length < INVITATIONS_MAX) {
      const cameras = [...known.cameras, camera].slice(-INVITED_CAMERAS_MAX);
      const isOwnBrowser = known.isOwnBrowser || ('role' in named && named.role === 'owner');
      this.invitations.set(toHex(ownerKey), { ownerKey, cameras, isOwnBrowser });
    }
    throw new SealcamError('household-unknown', 'a claim from a household that was not accepted');
  }

  private hasAccepted(ownerKey: Uint8Array): boolean {
    return this.accepted.includes(toHex(ownerKey));
  }

  private async isSealedToOwn(named: AnyClaim['recipients'][number]): Promise<boolean> {
    if ('x25519' in named) return equal(named.x25519, this.own.x25519);
    if (this.own.kemHash === null) throw new SealcamError('unsupported', 'a claim of version 2, and no KEM key here');
    return equal(named.kem, await this.own.kemHash());
  }
}
