import { toBase64, toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { sessionKind } from '../../protocol/objects/session.js';
import { accountId } from '../../protocol/objects/ids.js';
import { openSigned } from '../../protocol/objects/signed-object.js';
import type { Household } from '../store/store.js';

export interface SessionSettings {
  /** The API's own origin, known once it listens. */
  readonly cloudOrigin: () => string;
  readonly pageOrigins: readonly string[];
  readonly lifetimeMs: number;
}

/** A reader is an Ed25519 key; the cloud knows nothing else about the person. */
export interface Session {
  readonly key: Uint8Array;
  /** By the wall clock, for the page to read. */
  readonly expiresAtMs: number;
  /** What lists show: cameras of the person's own account and of the households that the person accepted. */
  readonly household: Household;
}

/** When something ends, by the monotonic clock: a wall clock that is set back must not let it live on. */
interface Ending {
  readonly untilMs: number;
}

export interface Challenge {
  readonly nonce: Uint8Array;
  readonly expiresAtMs: number;
}

const CHALLENGE_TTL_MS = 60_000;
const CHALLENGES_MAX = 10_000;
const SESSIONS_MAX = 50_000;
const SAMPLE_FROM_BYTES = 16;

/**
 * Sessions by signed challenge: no passwords, no cookies. Tokens live in memory and end with the process. What a session
 * may read is looked up in the claim rows at every request, so access ends with the epoch.
 */
export class Sessions {
  private readonly settings: SessionSettings;
  private readonly suite: CryptoSuite;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly challenges = new Map<string, Ending & Pick<Challenge, 'expiresAtMs'>>();
  private readonly tokens = new Map<string, Ending & Session>();

  constructor(settings: SessionSettings, suite: CryptoSuite, clock: Clock, random: Random) {
    this.settings = settings;
    this.suite = suite;
    this.clock = clock;
    this.random = random;
  }

  /** Creates a challenge, valid for one minute and one session. */
  challenge(): Challenge {
    const nowMs = this.clock.monotonicMs();
    forgetExpired(this.challenges, nowMs, CHALLENGES_MAX);
    const nonce = this.random.bytes(32);
    const expiresAtMs = this.clock.wallMs() + CHALLENGE_TTL_MS;
    this.challenges.set(toHex(nonce), { untilMs: nowMs + CHALLENGE_TTL_MS, expiresAtMs });
    return { nonce, expiresAtMs };
  }

  /**
   * Opens a session with a signed challenge.
   *
   * @param requestOrigin the browser's Origin header, if it sent one
   * @param accepted the accounts whose invitations this person accepted
   * @throws SealcamError `session-refused`, `malformed`, `bad-signature`, …
   */
  open(
    signed: Uint8Array,
    requestOrigin: string | undefined,
    accepted: readonly Uint8Array[] = [],
  ): { readonly token: string; readonly session: Session } {
    const { value, kid } = openSigned(sessionKind, this.suite, signed);
    const { cloudOrigin, pageOrigins, lifetimeMs } = this.settings;
    const nowMs = this.clock.monotonicMs();
    const nonce = toHex(value.nonce);
    const challenge = this.challenges.get(nonce);
    this.challenges.delete(nonce);
    if (challenge?.expiresAtMs !== value.expiresAtMs || nowMs >= challenge.untilMs) {
      throw new SealcamError('session-refused', 'the challenge is unknown, used or expired');
    }
    if (value.cloudOrigin !== cloudOrigin()) {
      throw new SealcamError('session-refused', 'the challenge was signed for another cloud');
    }
    if (
      !pageOrigins.includes(value.pageOrigin) ||
      (requestOrigin !== undefined && requestOrigin !== value.pageOrigin)
    ) {
      throw new SealcamError('session-refused', `a page from ${value.pageOrigin} may not use this cloud`, {
        hint: 'Add the origin of the page to http.pageOrigins.',
      });
    }
    forgetExpired(this.tokens, nowMs, SESSIONS_MAX);
    const token = toBase64(this.random.bytes(32));
    const household = {
      accounts: distinct([accountId(this.suite, kid), ...accepted]),
      sampleFrom: this.random.bytes(SAMPLE_FROM_BYTES),
    };
    const session = { key: kid, expiresAtMs: this.clock.wallMs() + lifetimeMs, household };
    this.tokens.set(token, { ...session, untilMs: nowMs + lifetimeMs });
    return { token, session };
  }

  /**
   * Returns the session of an Authorization header.
   *
   * @throws SealcamError `session-refused`
   */
  of(authorization: string | undefined): Session {
    const token = /^Bearer ([A-Za-z0-9+/=]{1,64})$/.exec(authorization ?? '')?.[1];
    const session = token === undefined ? undefined : this.tokens.get(token);
    if (session === undefined || this.clock.monotonicMs() >= session.untilMs) {
      throw new SealcamError('session-refused', 'the session does not exist or has ended');
    }
    return session;
  }

  /** Ends the session of an Authorization header, if there is one. */
  end(authorization: string | undefined): void {
    const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
    if (token !== undefined) this.tokens.delete(token);
  }

  get count(): number {
    return this.tokens.size;
  }
}

function distinct(accounts: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...new Map(accounts.map((account) => [toHex(account), account])).values()];
}

/** Deletes expired entries once the map is full, and the oldest while it still is. */
function forgetExpired(map: Map<string, Ending>, nowMs: number, most: number): void {
  if (map.size < most) return;
  for (const [key, { untilMs }] of map) if (nowMs >= untilMs) map.delete(key);
  for (const key of map.keys()) {
    if (map.size < most) return;
    map.delete(key);
  }
}
