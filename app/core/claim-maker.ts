import { equal } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { anyClaimKind, type AnyClaim, type ClaimV2, type Recipient } from '../../protocol/objects/claim.js';
import type { Offer, OfferV2 } from '../../protocol/objects/offer.js';
import { signObject, versionOf, type Verified } from '../../protocol/objects/signed-object.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import { accountNumber } from './account-number.js';
import type { CloudClient } from './cloud-client.js';
import type { HistoryKeeper } from './history-keeper.js';
import type { MemberBook, MemberKeys } from './member-keys.js';
import { recipientOf, type OwnerKeys } from './owner-keys.js';
import type { OwnKem } from './own-kem.js';

/** What claims of version 2 need. */
export interface KemDependencies {
  readonly own: OwnKem;
  readonly members: MemberBook;
}

export interface ClaimMakerDependencies {
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly keys: OwnerKeys;
  readonly client: Pick<CloudClient, 'kemKey'>;
  readonly history: HistoryKeeper;
  /** Omitted by tools that claim at version 1 only. */
  readonly kem?: KemDependencies;
}

export interface ClaimRequest {
  readonly offer: Offer | OfferV2;
  readonly receiptKeys: readonly Uint8Array[];
  /** Without the owner. */
  readonly members: readonly MemberKeys[];
  /** Whether a claim of version 1 would be of no use. */
  readonly needsVersionTwo: boolean;
}

export interface MadeClaim {
  readonly claim: Verified<AnyClaim>;
  /** Beside a claim of version 2, in its order; null beside one of version 1. */
  readonly kemKeys: readonly Uint8Array[] | null;
  /** The members for whose sake it is of version 1, where the camera offered version 2. */
  readonly keptBackBy: readonly MemberKeys[];
}

/**
 * Signs claims: of version 2 where the camera offers it and everybody in the household has a KEM key, else of version 1, but
 * never of version 1 after one of version 2.
 */
export class ClaimMaker {
  private readonly deps: ClaimMakerDependencies;

  constructor(deps: ClaimMakerDependencies) {
    this.deps = deps;
  }

  /**
   * Signs the claim that answers an offer.
   * @throws SealcamError `claim-downgrade`, `claim-refused`; `cloud-lied` for another KEM key than was asked for, `cloud-unreachable`
   */
  async make({ offer, receiptKeys, members, needsVersionTwo }: ClaimRequest): Promise<MadeClaim> {
    const { suite, clock, keys, history, kem } = this.deps;
    const { signer, account } = keys;
    const fields = {
      device: offer.device,
      epoch: offer.lastEpoch + 1,
      account,
      ownerKey: signer.publicKey,
      receiptKeys: [...receiptKeys],
      previous: offer.lastClaimHash,
      nonce: offer.nonce,
      issuedAtMs: Math.round(clock.wallMs()),
    };
    const people = members.map((member) => kem?.members.withKnown(member) ?? member);
    let missing: readonly MemberKeys[] = [];
    if (kem !== undefined && versionOf(offer) === 2) {
      const found = await this.kemKeysOf(kem, people);
      missing = kem.members.keepBack(people);
      if (missing.length === 0) {
        const own = { ed25519: signer.publicKey, kem: await kem.own.hash(), role: 'owner' as const };
        const recipients = [own, ...people.map(recipientV2)];
        const claim = signObject(anyClaimKind, suite, signer, { ...fields, version: 2, recipients });
        return { claim, kemKeys: [await kem.own.publicKey(), ...found], keptBackBy: [] };
      }
    }
    const own = recipientOf(keys);
    // In version 1 all browsers of an owner share one key.
    const hasBrowsers = people.some(({ role }) => role === 'owner');
    const isForbidden = needsVersionTwo || hasBrowsers || !history.maySucceed({ ...fields, recipients: [own] });
    if (isForbidden) throw withoutVersionTwo(missing);
    const recipients = [own, ...people.map(recipientV1)];
    const claim = signObject(anyClaimKind, suite, signer, { ...fields, recipients });
    return { claim, kemKeys: null, keptBackBy: missing };
  }

  /**
   * Returns the KEM keys that belong beside a claim, in its order; null for one of version 1, and where one is not to be had.
   * @throws SealcamError `cloud-lied`, `cloud-unreachable`
   */
  async kemKeysBeside(claim: AnyClaim): Promise<readonly Uint8Array[] | null> {
    const { kem, keys } = this.deps;
    if (kem === undefined || !isVersionTwo(claim)) return null;
    const others = claim.recipients.filter(({ ed25519 }) => !equal(ed25519, keys.signer.publicKey));
    const found = await this.kemKeysOf(kem, others);
    return found.length === others.length ? [await kem.own.publicKey(), ...found] : null;
  }

  /** Returns the KEM keys that the cloud has of these people, and notes whose it has not. */
  private async kemKeysOf({ members }: KemDependencies, people: readonly MemberKeys[]): Promise<readonly Uint8Array[]> {
    const found: Uint8Array[] = [];
    for (const person of people) {
      if (person.kem === undefined) continue;
      try {
        found.push(await this.deps.client.kemKey(person.kem));
        members.noteAbsent(person, false);
      } catch (error) {
        if (!isSealcamError(error) || error.code !== 'not-found') throw error;
        members.noteAbsent(person, true);
      }
    }
    return found;
  }
}

function recipientV1({ ed25519, x25519 }: MemberKeys): Recipient {
  if (x25519 !== undefined) return { x25519, ed25519 };
  throw new SealcamError('claim-refused', `the member ${accountNumber(ed25519)} has no key for this camera`, {
    hint: 'The camera is of version 1. Ask them to show you their code again.',
  });
}

function recipientV2({ ed25519, kem, role = 'member' }: MemberKeys): ClaimV2['recipients'][number] {
  if (kem === undefined) throw new Error('a recipient without a KEM key');
  return { ed25519, kem, role };
}

/** @param missing the members who keep the household at version 1; none if the camera does not offer version 2 */
function withoutVersionTwo(missing: readonly MemberKeys[]): SealcamError {
  if (missing.length === 0) {
    const message = 'the camera offers a claim of version 1 only: the cloud may be hiding version 2 from it';
    return new SealcamError('claim-downgrade', message, { hint: 'Nothing was signed. Ask the operator of the cloud.' });
  }
  const names = missing.map(({ ed25519 }) => accountNumber(ed25519)).join(', ');
  return new SealcamError('claim-downgrade', `without a key of version 2: ${names}`, {
    hint: 'Nothing was signed. Ask them to open their page as it is now, and to show you their code again.',
  });
}
