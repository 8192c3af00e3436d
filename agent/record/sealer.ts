import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { Claim } from '../../protocol/objects/claim.js';
import type { RecordMedia } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { SealedContent } from '../../protocol/seal/content.js';
import { sealInSteps } from '../../protocol/seal/seal.js';
import type { SealedMedia } from '../outbox/outbox.js';

/** The largest picture that fits into a sealed object, beside padding, detail and eight wraps. */
export const PICTURE_MAX_BYTES = LIMITS.sealedMaxBytes - LIMITS.sealPadBytes - 2048;

/** What a message holds beside the body of one sealed object, at most: record, header with eight wraps, envelope. */
const BESIDE_BODY_BYTES = 2048;
/** What is sealed beside a picture, at most, and what each chunk adds. */
const BESIDE_PICTURE_BYTES = 512;
/** A smaller picture shows nothing. */
const PICTURE_MIN_BYTES = 1024;

/** Returns the largest picture whose message keeps to a size; null if none does. A null size is no limit. */
export function pictureRoom(messageBytes: number | null): number | null {
  if (messageBytes === null) return PICTURE_MAX_BYTES;
  const padded = Math.floor((messageBytes - BESIDE_BODY_BYTES) / LIMITS.sealPadBytes) * LIMITS.sealPadBytes;
  const bytes = Math.min(PICTURE_MAX_BYTES, padded - BESIDE_PICTURE_BYTES);
  return bytes >= PICTURE_MIN_BYTES ? bytes : null;
}

/** Random draws of the last 64 objects: an id, a key, and a key for each recipient. */
const REMEMBERED_DRAWS_MAX = 64 * (2 + LIMITS.recipientsMax);

/**
 * Seals content to the recipients of a claim, under a fresh media id. Eight recipients are much work for a small core, so
 * it yields to the frames after each.
 */
export class Sealer {
  private readonly suite: CryptoSuite;
  private readonly random: Random;
  private readonly yieldTurn: () => Promise<unknown>;
  /** Oldest first. */
  private readonly recentDraws = new Set<string>();

  /** `yieldTurn` resolves when all work that waits has had its turn. */
  constructor(suite: CryptoSuite, random: Random, yieldTurn: () => Promise<unknown>) {
    this.suite = suite;
    this.random = random;
    this.yieldTurn = yieldTurn;
  }

  /** Returns the sealed object and its entry for the record. @throws SealcamError `too-large`, `randomness-repeats` */
  async seal(
    claim: Verified<Claim>,
    eventId: Uint8Array,
    role: RecordMedia['role'],
    content: SealedContent,
  ): Promise<SealedMedia> {
    const { device, account, epoch, recipients } = claim.value;
    const id = this.fresh(16);
    const context = { device, account, epoch, claimHash: claim.hash, eventId, mediaId: id };
    const keys = recipients.map(({ x25519 }) => x25519);
    const random: Random = { bytes: (length) => this.fresh(length), uniform: () => this.random.uniform() };
    const steps = sealInSteps({ suite: this.suite, random, context, recipients: keys, content });
    let step = steps.next();
    while (step.done !== true) {
      await this.yieldTurn();
      step = steps.next();
    }
    const sealed = step.value;
    return {
      sealed,
      media: {
        id,
        role,
        length: sealed.body.length,
        bodyHash: this.suite.sha256(sealed.body),
        headerHash: this.suite.sha256(sealed.header),
      },
    };
  }

  /** Draws random bytes. Fails if the source repeats itself: it would seal two pictures with one key. */
  private fresh(length: number): Uint8Array {
    const bytes = this.random.bytes(length);
    const name = Buffer.from(this.suite.sha256(bytes)).toString('base64');
    if (this.recentDraws.has(name)) {
      throw new SealcamError('randomness-repeats', 'the random source gave the same bytes twice');
    }
    this.recentDraws.add(name);
    for (const oldest of this.recentDraws) {
      if (this.recentDraws.size <= REMEMBERED_DRAWS_MAX) break;
      this.recentDraws.delete(oldest);
    }
    return bytes;
  }
}
