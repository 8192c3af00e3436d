import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { isClaimMac, type Claim } from '../../protocol/objects/claim.js';
import type { Offer } from '../../protocol/objects/offer.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';

/** What the camera knows of its ownership when a claim comes. */
export interface OwnershipFacts {
  readonly device: Uint8Array;
  readonly lastEpoch: number;
  readonly lastClaimHash: Uint8Array | null;
  /** Owner key of the current claim, null without an owner. */
  readonly ownerKey: Uint8Array | null;
  /** Signing stopped: only a new claim of the owner starts it again. */
  readonly isStopped: boolean;
}

interface OpenOffer {
  readonly offer: Offer;
  readonly untilMs: number;
}

/**
 * Which claim may be accepted now. A window opens only by a physical act or, for the current owner alone, at the
 * cloud's request; each offer's nonce serves one claim within ten monotonic minutes. Pure: time is passed in.
 */
export class ClaimWindow {
  private readonly offers = new Map<Offer['mode'], OpenOffer>();

  /** A new nonce takes the place of the one before. */
  open(mode: Offer['mode'], facts: OwnershipFacts, nonce: Uint8Array, nowMs: number): Offer {
    if (mode === 'owner' && facts.ownerKey === null) {
      throw new SealcamError('claim-refused', 'an owner offer without an owner');
    }
    const offer: Offer = {
      device: facts.device,
      lastEpoch: facts.lastEpoch,
      lastClaimHash: facts.lastClaimHash,
      mode,
      nonce,
    };
    this.offers.set(mode, { offer, untilMs: nowMs + LIMITS.claimWindowMs });
    return offer;
  }

  close(): void {
    this.offers.clear();
  }

  /** The physical window's offer, while it is open. */
  physicalOffer(nowMs: number): Offer | null {
    const open = this.offers.get('physical');
    return open !== undefined && nowMs < open.untilMs ? open.offer : null;
  }

  /** When the physical window closes; null if it is not open. */
  closesAtMs(nowMs: number): number | null {
    return this.physicalOffer(nowMs) === null ? null : (this.offers.get('physical')?.untilMs ?? null);
  }

  /**
   * Holds a claim against what the camera knows. On success the nonce is used up.
   * @throws SealcamError `claim-refused`, which says why
   */
  admit(
    suite: CryptoSuite,
    claim: Verified<Claim>,
    mac: Uint8Array | null,
    secret: Uint8Array,
    facts: OwnershipFacts,
    nowMs: number,
  ): void {
    const { value } = claim;
    if (!equal(value.device, facts.device)) throw refused('it is for another camera');
    const open = [...this.offers.values()].find(({ offer }) => equal(offer.nonce, value.nonce));
    if (open === undefined) throw refused('its nonce is not of an open offer');
    if (nowMs >= open.untilMs) throw refused('the claim window has closed');
    if (value.epoch !== facts.lastEpoch + 1) throw refused(`epoch ${String(value.epoch)} does not follow`);
    if (!sameHash(value.previous, facts.lastClaimHash)) throw refused('it does not follow the last claim');
    if (facts.ownerKey === null) {
      if (open.offer.mode !== 'physical') throw refused('a first claim needs somebody at the camera');
      if (!isClaimMac(suite, secret, claim, mac)) throw refused('its code is wrong');
    } else if (!equal(facts.ownerKey, value.ownerKey)) {
      throw refused('the camera has another owner');
    }
    this.close();
  }
}

function refused(why: string): SealcamError {
  return new SealcamError('claim-refused', `claim refused: ${why}`);
}

function sameHash(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : equal(a, b);
}
