import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { AnyClaim, Claim } from '../../protocol/objects/claim.js';
import { NO_EVENT } from '../../protocol/objects/ids.js';
import type { RecordMediaV2 } from '../../protocol/objects/record-fields-v2.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { encodeContent, type SealedContent, type SealedDetail } from '../../protocol/seal/content.js';
import { encodeInForce, type InForce } from '../../protocol/seal/in-force.js';
import { MINI_CONTENT_MAX_BYTES, type ObjectPlace } from '../../protocol/seal/object.js';
import type { Period } from '../../protocol/seal/period.js';
import { sealInSteps, type SealedObject } from '../../protocol/seal/seal.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import type { SealedMedia } from '../outbox/outbox.js';
import { FreshRandom } from './fresh-random.js';

/** The largest picture that fits into a sealed object, beside padding, detail and eight wraps. */
export const PICTURE_MAX_BYTES = LIMITS.sealedMaxBytes - LIMITS.sealPadBytes - 2048;

/** What a message holds beside the body of one sealed object, at most: record, header with eight wraps, envelope. */
const BESIDE_BODY_BYTES = 2048;
/** What is sealed beside a picture, at most, and what each chunk adds. */
const BESIDE_PICTURE_BYTES = 512;
/** A smaller picture shows nothing. */
const PICTURE_MIN_BYTES = 1024;

/** A sealed mini picture with its header, its entry in the record, and what stands around them in a message. */
const MINI_OBJECT_BYTES = MINI_CONTENT_MAX_BYTES + 256;

/** Returns the largest picture whose message keeps to a size; null if none does. A null size is no limit. */
export function pictureRoom(messageBytes: number | null): number | null {
  if (messageBytes === null) return PICTURE_MAX_BYTES;
  const padded = Math.floor((messageBytes - BESIDE_BODY_BYTES) / LIMITS.sealPadBytes) * LIMITS.sealPadBytes;
  const bytes = Math.min(PICTURE_MAX_BYTES, padded - BESIDE_PICTURE_BYTES);
  return bytes >= PICTURE_MIN_BYTES ? bytes : null;
}

/** Returns whether a mini picture fits into the same message, beside a picture of this size. A null size is no limit. */
export function hasRoomForMini(messageBytes: number | null, pictureBytes: number): boolean {
  if (messageBytes === null) return true;
  const padded = Math.ceil((pictureBytes + BESIDE_PICTURE_BYTES) / LIMITS.sealPadBytes) * LIMITS.sealPadBytes;
  return padded + BESIDE_BODY_BYTES + MINI_OBJECT_BYTES <= messageBytes;
}

/** Returns the largest mini picture that can be sealed with this detail, whose `size` is added. */
export function miniRoom(detail: SealedDetail): number {
  // The longest that a size can be. CBOR has two more bytes before a picture of this length than before an empty one.
  const size = [65_535, 65_535] as const;
  const beside = encodeContent({ detail: { ...detail, size }, jpeg: new Uint8Array(0) }).length + 2;
  return MINI_CONTENT_MAX_BYTES - beside;
}

type SightRole = 'thumbnail' | 'detail' | 'mini';

/** A sealed picture or detail, with its entry for a record; of either version, where it is no mini picture. */
export interface SealedSight<R extends SightRole = 'thumbnail' | 'detail'> extends SealedMedia {
  readonly media: RecordMediaV2 & { readonly role: R };
}

/** A sealed segment of a clip. */
export interface SealedSegment extends SealedObject {
  readonly mediaId: Uint8Array;
  readonly bodyHash: Uint8Array;
  readonly periodId: Uint8Array;
}

interface SightPlace<R extends SightRole> extends ObjectPlace {
  readonly role: R;
}

/** What seals in periods; a PeriodKeeper is one. */
export interface PeriodSource {
  usable(claim: Verified<AnyClaim>): Period | null;
  ready(claim: Verified<AnyClaim>): Promise<Period | null>;
}

/**
 * Seals content to the recipients of a claim, under a fresh media id: with suite 1 under a claim of version 1, with suite 2 under
 * one of version 2. With suite 1 eight recipients are much work for a small core, so it yields to the frames after each.
 */
export class Sealer {
  private readonly suite: CryptoSuite;
  private readonly random: Random;
  private readonly yieldTurn: () => Promise<unknown>;
  private readonly periods: PeriodSource | null;

  /** `yieldTurn` resolves when all work that waits has had its turn. Without `periods` nothing is sealed in version 2. */
  constructor(
    suite: CryptoSuite,
    random: Random,
    yieldTurn: () => Promise<unknown>,
    periods: PeriodSource | null = null,
  ) {
    this.suite = suite;
    this.random = new FreshRandom(suite, random);
    this.yieldTurn = yieldTurn;
    this.periods = periods;
  }

  /** Returns whether something can be sealed for a claim now. */
  isReady(claim: Verified<AnyClaim>): boolean {
    return !isVersionTwo(claim.value) || this.periodNow(claim) !== null;
  }

  /** Resolves when something can be sealed for a claim: false if it is no longer in force, or the camera stops. */
  async ready(claim: Verified<AnyClaim>): Promise<boolean> {
    return this.isReady(claim) || ((await this.periods?.ready(claim)) ?? null) !== null;
  }

  /**
   * Returns the sealed object and its entry for the record.
   * @throws SealcamError `too-large`, `randomness-repeats`, `period-unavailable`
   */
  async seal(
    claim: Verified<AnyClaim>,
    eventId: Uint8Array,
    role: 'thumbnail' | 'detail',
    content: SealedContent,
  ): Promise<SealedSight> {
    const id = this.random.bytes(16);
    const place = { eventId, mediaId: id, role };
    if (!isVersionTwo(claim.value)) {
      return this.named(place, await this.sealForEach({ ...claim, value: claim.value }, place, content));
    }
    const period = (await this.periods?.ready(claim)) ?? null;
    if (period === null) throw new SealcamError('period-unavailable', 'there is no period to seal in');
    return this.sealInPeriod(period, place, encodeContent(content));
  }

  /**
   * Returns a mini picture with its detail; null while there is no period to seal in, and under a claim of version 1, which has none.
   * @throws SealcamError `too-large`, `randomness-repeats`
   */
  sealMini(claim: Verified<AnyClaim>, eventId: Uint8Array, content: SealedContent): SealedSight<'mini'> | null {
    const period = isVersionTwo(claim.value) ? this.periodNow(claim) : null;
    if (period === null) return null;
    const place = { eventId, mediaId: this.random.bytes(16), role: 'mini' } as const;
    return this.sealInPeriod(period, place, encodeContent(content));
  }

  /**
   * Returns what is in force as the detail of an answer to an order of version 2; null while there is no period to seal in.
   * @throws SealcamError `randomness-repeats`
   */
  sealInForce(claim: Verified<AnyClaim>, content: InForce): SealedSight | null {
    const period = this.periodNow(claim);
    if (period === null) return null;
    const place = { eventId: NO_EVENT, mediaId: this.random.bytes(16), role: 'detail' } as const;
    return this.sealInPeriod(period, place, encodeInForce(content));
  }

  /**
   * Returns a sealed segment of a clip; null while there is no period to seal in, and under a claim of version 1, which has no clips.
   * @throws SealcamError `too-large`, `randomness-repeats`
   */
  sealSegment(claim: Verified<AnyClaim>, eventId: Uint8Array, content: Uint8Array): SealedSegment | null {
    const period = isVersionTwo(claim.value) ? this.periodNow(claim) : null;
    if (period === null) return null;
    const mediaId = this.random.bytes(16);
    const { header, body } = period.seal({ eventId, mediaId, role: 'segment' }, content);
    return { mediaId, header, body, bodyHash: this.suite.sha256(body), periodId: period.context.periodId };
  }

  private periodNow(claim: Verified<AnyClaim>): Period | null {
    return this.periods?.usable(claim) ?? null;
  }

  /** Suite 2. */
  private sealInPeriod<R extends SightRole>(period: Period, place: SightPlace<R>, content: Uint8Array): SealedSight<R> {
    const { header, body } = period.seal(place, content);
    return { ...this.named(place, { header, body }), periodId: period.context.periodId };
  }

  private named<R extends SightRole>({ mediaId, role }: SightPlace<R>, sealed: SealedObject): SealedSight<R> {
    const [bodyHash, headerHash] = [this.suite.sha256(sealed.body), this.suite.sha256(sealed.header)];
    return { sealed, media: { id: mediaId, role, length: sealed.body.length, bodyHash, headerHash } };
  }

  /** Suite 1. */
  private async sealForEach(
    claim: Verified<Claim>,
    place: Pick<ObjectPlace, 'eventId' | 'mediaId'>,
    content: SealedContent,
  ): Promise<SealedObject> {
    const { suite, random } = this;
    const { device, account, epoch, recipients } = claim.value;
    const context = { device, account, epoch, claimHash: claim.hash, ...place };
    const keys = recipients.map(({ x25519 }) => x25519);
    const steps = sealInSteps({ suite, random, context, recipients: keys, content });
    let step = steps.next();
    while (step.done !== true) {
      await this.yieldTurn();
      step = steps.next();
    }
    return step.value;
  }
}
