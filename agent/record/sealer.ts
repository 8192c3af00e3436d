import { isSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { Claim } from '../../protocol/objects/claim.js';
import type { RecordMedia } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { SealedContent } from '../../protocol/seal/content.js';
import { sealInSteps } from '../../protocol/seal/seal.js';
import type { SealedMedia } from '../outbox/outbox.js';

/** What the picture may take of a sealed object, beside padding, detail and eight wraps. */
export const PICTURE_MAX_BYTES = LIMITS.sealedMaxBytes - LIMITS.sealPadBytes - 2048;

/** What was drawn for the last 64 objects is remembered: an id, a key, and a key for each recipient. */
const DRAWS_REMEMBERED = 64 * (2 + LIMITS.recipientsMax);

/**
 * Seals content to the recipients of a claim; the media id is fresh. Eight recipients are a long piece of work on a small
 * core, so frames have their turn after each.
 */
export class Sealer {
  private readonly suite: CryptoSuite;
  private readonly random: Random;
  private readonly giveWay: () => Promise<unknown>;
  /** Oldest first. */
  private readonly recentDraws = new Set<string>();

  /** `giveWay` resolves when whatever waits has had its turn. */
  constructor(suite: CryptoSuite, random: Random, giveWay: () => Promise<unknown>) {
    this.suite = suite;
    this.random = random;
    this.giveWay = giveWay;
  }

  /** @throws SealcamError `too-large`, `randomness-repeats` */
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
      await this.giveWay();
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

  /** A source that repeats itself would seal two pictures with one key: then nothing is sealed. */
  private fresh(length: number): Uint8Array {
    const bytes = this.random.bytes(length);
    const name = Buffer.from(this.suite.sha256(bytes)).toString('base64');
    if (this.recentDraws.has(name)) {
      throw new SealcamError('randomness-repeats', 'the random source gave the same bytes twice');
    }
    this.recentDraws.add(name);
    for (const oldest of this.recentDraws) {
      if (this.recentDraws.size <= DRAWS_REMEMBERED) break;
      this.recentDraws.delete(oldest);
    }
    return bytes;
  }
}

export function isTooLarge(error: unknown): boolean {
  return isSealcamError(error) && error.code === 'too-large';
}
