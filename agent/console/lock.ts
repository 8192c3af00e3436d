import { equal, fromBase64 } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { openSigned, type Verified } from '../../protocol/objects/signed-object.js';
import { unlockKind, type Unlock } from '../../protocol/objects/unlock.js';

export type Scope = Unlock['scope'][number];

/** Wrong tokens without a wait. Each further one makes the next wait, twice as long each time. */
const FREE_FAILURES_MAX = 2;
const WAIT_FIRST_MS = 2000;
const WAIT_MAX_MS = 5 * 60_000;
/** How long a shown nonce is good for, on the monotonic clock. */
const NONCE_LIFETIME_MS = 10 * 60_000;

export interface ConsoleLockOptions {
  readonly suite: CryptoSuite;
  readonly random: Random;
  readonly clock: Clock;
  readonly device: Uint8Array;
  /** Public keys whose tokens are trusted. Empty: nothing unlocks this console. */
  readonly qaKeys: readonly Uint8Array[];
}

/**
 * The console's lock. A token is signed by the maker's QA key, for this device, the nonce shown here, scopes and a time.
 * A nonce exists from when it is shown until a token used it, it expires, or it was guessed at too often: a token that was
 * made and not used must not open this console months later. Nonce and unlock are kept in memory only, so every restart
 * locks the console.
 */
export class ConsoleLock {
  private readonly suite: CryptoSuite;
  private readonly random: Random;
  private readonly clock: Clock;
  private readonly device: Uint8Array;
  private readonly qaKeys: readonly Uint8Array[];
  private nonce: { readonly bytes: Uint8Array; readonly untilMs: number } | null = null;
  private open: { readonly scopes: ReadonlySet<Scope>; readonly untilMs: number } | null = null;
  private failures = 0;
  private notBeforeMs = -Infinity;

  constructor({ suite, random, clock, device, qaKeys }: ConsoleLockOptions) {
    this.suite = suite;
    this.random = random;
    this.clock = clock;
    this.device = device;
    this.qaKeys = qaKeys;
  }

  /** Returns the nonce that the next token must name, and the seconds for which it is good. Makes one where it must. */
  challenge(): { readonly nonce: Uint8Array; readonly leftS: number } {
    const nowMs = this.clock.monotonicMs();
    if (this.nonce === null || nowMs >= this.nonce.untilMs) {
      this.nonce = { bytes: this.random.bytes(16), untilMs: nowMs + NONCE_LIFETIME_MS };
    }
    return { nonce: this.nonce.bytes, leftS: Math.ceil((this.nonce.untilMs - nowMs) / 1000) };
  }

  /** Whether any key is trusted. */
  get canUnlock(): boolean {
    return this.qaKeys.length > 0;
  }

  /** Returns the scopes that are unlocked, and the seconds left; null while locked. */
  state(): { readonly scopes: readonly Scope[]; readonly leftS: number } | null {
    const { open } = this;
    if (open === null) return null;
    const leftMs = open.untilMs - this.clock.monotonicMs();
    if (leftMs <= 0) {
      this.open = null;
      return null;
    }
    return { scopes: [...open.scopes], leftS: Math.ceil(leftMs / 1000) };
  }

  /** Returns whether a token has unlocked this scope and has not expired. */
  allows(scope: Scope): boolean {
    return this.state()?.scopes.includes(scope) === true;
  }

  /**
   * Unlocks with a token. @throws SealcamError `console-locked` (too many wrong tokens, or no key), `unlock-refused`
   */
  unlock(text: string): Verified<Unlock> {
    const nowMs = this.clock.monotonicMs();
    if (!this.canUnlock) throw new SealcamError('console-locked', 'this camera has no QA key: nothing unlocks it');
    if (nowMs < this.notBeforeMs) {
      const seconds = Math.ceil((this.notBeforeMs - nowMs) / 1000);
      throw new SealcamError('console-locked', `too many wrong tokens; wait ${String(seconds)} s`);
    }
    try {
      const token = this.verifyToken(text);
      this.failures = 0;
      this.open = { scopes: new Set(token.value.scope), untilMs: nowMs + token.value.lifetimeS * 1000 };
      this.nonce = null;
      return token;
    } catch (cause) {
      this.failures++;
      const over = this.failures - FREE_FAILURES_MAX;
      if (over > 0) {
        this.notBeforeMs = nowMs + Math.min(WAIT_MAX_MS, WAIT_FIRST_MS * 2 ** (over - 1));
        this.nonce = null;
      }
      if (cause instanceof SealcamError && cause.code === 'unlock-refused') throw cause;
      throw new SealcamError('unlock-refused', 'the token is not a signed token', { cause });
    }
  }

  lock(): void {
    this.open = null;
  }

  private verifyToken(text: string): Verified<Unlock> {
    const bytes = fromBase64(text);
    if (bytes === undefined) throw new SealcamError('unlock-refused', 'the token is not base64');
    const token = openSigned(unlockKind, this.suite, bytes);
    if (!this.qaKeys.some((key) => equal(key, token.kid))) {
      throw new SealcamError('unlock-refused', 'the token is signed by a key that this camera does not trust');
    }
    if (!equal(token.value.device, this.device))
      throw new SealcamError('unlock-refused', 'the token is for another camera');
    const { nonce } = this;
    if (nonce === null || !equal(token.value.nonce, nonce.bytes)) {
      throw new SealcamError('unlock-refused', 'the token is for another nonce; each token works once');
    }
    if (this.clock.monotonicMs() >= nonce.untilMs) {
      throw new SealcamError('unlock-refused', 'the nonce that the token names has expired');
    }
    return token;
  }
}
