import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';

/** Random draws of the last 64 objects: an id, a key, and a key for each recipient. */
const REMEMBERED_DRAWS_MAX = 64 * (2 + LIMITS.recipientsMax);

/** A random source that fails if it repeats itself: it would seal two pictures with one key. */
export class FreshRandom implements Random {
  private readonly suite: CryptoSuite;
  private readonly random: Random;
  /** Hashes, oldest first. */
  private readonly recentDraws = new Set<string>();

  constructor(suite: CryptoSuite, random: Random) {
    this.suite = suite;
    this.random = random;
  }

  /** @throws SealcamError `randomness-repeats` */
  bytes(length: number): Uint8Array {
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

  uniform(): number {
    return this.random.uniform();
  }
}
