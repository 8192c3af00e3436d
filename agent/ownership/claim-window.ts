import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { isClaimMac, type AnyClaim } from '../../protocol/objects/claim.js';
import type { Offer, OfferV2 } from '../../protocol/objects/offer.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';

/** What the camera knows of its ownership when a claim arrives. */
export interface OwnershipFacts {
  readonly device: Uint8Array;
  readonly lastEpoch: number;
  readonly lastClaimHash: Uint8Array | null;
  /** Owner key of the current claim; null without an owner. */
  readonly ownerKey: Uint8Array | null;
}

interface OpenOffer {
  readonly offer: Offer;
  readonly untilMs: number;
  /** Whether it was made in version 2 too: only then a claim of version 2 may answer it. */
  isTwoOffered: boolean;
}

/**
 * An owner offer that is valid for less than this is replaced, not repeated: the owner's page needs time to answer it.
 * Requests come from outside, so they renew an offer once in nine minutes at most.
 */
const OWNER_OFFER_LEFT_MIN_MS = 60_000;

/** A claim, with what it is verified against. */
export interface ClaimAttempt {
  readonly suite: CryptoSuite;
  readonly claim: Verified<AnyClaim>;
  /** Proof of the claim code; needed for a first claim. */
  readonly mac: Uint8Array | null;
  readonly secret: Uint8Array;
  readonly facts: OwnershipFacts;
  readonly nowMs: number;
}

/**
 * Decides which claim may be accepted now. A window opens by a physical act or, for the current owner alone, at the cloud's
 * request. The nonce of an offer admits one claim, within ten monotonic minutes. Pure: time is passed in.
 */
export class ClaimWindow {
  private readonly offers = new Map<Offer['mode'], OpenOffer>();

  /**
   * Makes an offer that replaces the previous one of its mode. An owner offer that is still good is returned again, with
   * its nonce: requests without end must not make the owner's answer useless.
   *
   * @throws SealcamError `claim-refused`
   */
  open(mode: Offer['mode'], facts: OwnershipFacts, nonce: Uint8Array, nowMs: number): Offer {
    if (mode === 'owner' && facts.ownerKey === null) {
      throw new SealcamError('claim-refused', 'an owner offer needs an owner');
    }
    const known = this.offers.get(mode);
    if (mode === 'owner' && known !== undefined && isGood(known, facts, nowMs)) return known.offer;
    const offer: Offer = {
      device: facts.device,
      lastEpoch: facts.lastEpoch,
      lastClaimHash: facts.lastClaimHash,
      mode,
      nonce,
    };
    this.offers.set(mode, { offer, untilMs: nowMs + LIMITS.claimWindowMs, isTwoOffered: false });
    return offer;
  }

  /** Returns an open offer in version 2. From now on a claim of that version may answer it too. */
  inVersionTwo(offer: Offer): OfferV2 {
    const open = this.offers.get(offer.mode);
    if (open !== undefined) open.isTwoOffered = true;
    return { ...offer, version: 2 };
  }

  /** Withdraws all offers. */
  close(): void {
    this.offers.clear();
  }

  /** Returns the offer of the physical window, null if it is not open. */
  physicalOffer(nowMs: number): Offer | null {
    const open = this.offers.get('physical');
    return open !== undefined && nowMs < open.untilMs ? open.offer : null;
  }

  /** Returns when the physical window closes, null if it is not open. */
  closesAtMs(nowMs: number): number | null {
    return this.physicalOffer(nowMs) === null ? null : (this.offers.get('physical')?.untilMs ?? null);
  }

  /** Verifies a claim as {@link check} does, and uses up its nonce. */
  admit(attempt: ClaimAttempt): void {
    this.check(attempt);
    this.close();
  }

  /**
   * Verifies a claim against the offers and the facts.
   *
   * @throws SealcamError `claim-refused`, with the reason in its message
   */
  check({ suite, claim, mac, secret, facts, nowMs }: ClaimAttempt): void {
    const { value } = claim;
    if (!equal(value.device, facts.device)) throw refused('it is for another camera');
    const open = [...this.offers.values()].find(({ offer }) => equal(offer.nonce, value.nonce));
    if (open === undefined) throw refused('its nonce is not of an open offer');
    if (isVersionTwo(value) && !open.isTwoOffered) throw refused('its version was not offered');
    if (nowMs >= open.untilMs) throw refused('the claim window has closed');
    if (value.epoch !== facts.lastEpoch + 1) throw refused(`epoch ${String(value.epoch)} does not follow`);
    if (!isSameHash(value.previous, facts.lastClaimHash)) throw refused('it does not follow the last claim');
    if (facts.ownerKey === null) {
      if (open.offer.mode !== 'physical') throw refused('a first claim needs a person at the camera');
      if (!isClaimMac(suite, secret, claim, mac)) throw refused('its code is wrong');
    } else if (!equal(facts.ownerKey, value.ownerKey)) {
      throw refused('the camera has another owner');
    }
  }
}

function isGood({ offer, untilMs }: OpenOffer, { lastEpoch, lastClaimHash }: OwnershipFacts, nowMs: number): boolean {
  const isCurrent = offer.lastEpoch === lastEpoch && isSameHash(offer.lastClaimHash, lastClaimHash);
  return isCurrent && untilMs - nowMs >= OWNER_OFFER_LEFT_MIN_MS;
}

function refused(why: string): SealcamError {
  return new SealcamError('claim-refused', `claim refused: ${why}`);
}

function isSameHash(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : equal(a, b);
}
