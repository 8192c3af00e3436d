import { concat, equal, toBase64, toHex, distinct } from '../../common/bytes.js';
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
  /** Sessions of all persons; a limit of this process if omitted. */
  readonly sessionsMax?: number;
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
const MAC_BYTES = 16;
/** Challenges that opened a session within the minute in which they are valid. */
const USED_CHALLENGES_MAX = 50_000;
const SESSIONS_MAX = 50_000;
/** A person's own oldest session ends first. */
const SESSIONS_PER_KEY_MAX = 32;
/** When all room is taken, the address with the most sessions loses the oldest tenth of them. */
const ROOM_SHARE = 10;
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
  private readonly challengeKey: Uint8Array;
  /** Challenges that opened a session and have not expired, by nonce. */
  private readonly used = new Map<string, Ending>();
  private readonly tokens = new Map<string, Ending & Session & { readonly address: string }>();

  constructor(settings: SessionSettings, suite: CryptoSuite, clock: Clock, random: Random) {
    this.settings = settings;
    this.suite = suite;
    this.clock = clock;
    this.random = random;
    this.challengeKey = random.bytes(32);
  }

  /**
   * Creates a challenge, valid for one minute and one session. Nothing is kept of it: it carries its end and a MAC, so
   * strangers who ask for challenges without end push out nobody's.
   */
  challenge(): Challenge {
    const untilMs = Math.floor(this.clock.monotonicMs()) + CHALLENGE_TTL_MS;
    const expiresAtMs = Math.floor(this.clock.wallMs()) + CHALLENGE_TTL_MS;
    const start = concat(uint64(untilMs), this.random.bytes(8));
    return { nonce: concat(start, this.challengeMac(start, expiresAtMs)), expiresAtMs };
  }

  /**
   * Opens a session with a signed challenge.
   *
   * @param requestOrigin the browser's Origin header, if it sent one
   * @param accepted the accounts whose invitations this person accepted
   * @param address the share of the address it came from
   * @throws SealcamError `session-refused`, `malformed`, `bad-signature`, …
   */
  open(
    signed: Uint8Array,
    requestOrigin: string | undefined,
    accepted: readonly Uint8Array[] = [],
    address = '',
  ): { readonly token: string; readonly session: Session } {
    const { value, kid } = openSigned(sessionKind, this.suite, signed);
    const { cloudOrigin, pageOrigins, lifetimeMs } = this.settings;
    const nowMs = this.clock.monotonicMs();
    this.useChallenge(value, nowMs);
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
    this.makeRoom(kid, address, nowMs);
    const token = toBase64(this.random.bytes(32));
    const household = {
      accounts: distinct([accountId(this.suite, kid), ...accepted]),
      sampleFrom: this.random.bytes(SAMPLE_FROM_BYTES),
    };
    const session = { key: kid, expiresAtMs: this.clock.wallMs() + lifetimeMs, household };
    this.tokens.set(token, { ...session, untilMs: nowMs + lifetimeMs, address });
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

  private challengeMac(start: Uint8Array, expiresAtMs: number): Uint8Array {
    return this.suite.hmacSha256(this.challengeKey, concat(start, uint64(expiresAtMs))).slice(0, MAC_BYTES);
  }

  /** @throws SealcamError `session-refused`, `rate-limited` */
  private useChallenge({ nonce, expiresAtMs }: Challenge, nowMs: number): void {
    const start = nonce.slice(0, nonce.length - MAC_BYTES);
    const isOurs = equal(nonce.slice(-MAC_BYTES), this.challengeMac(start, expiresAtMs));
    const untilMs = isOurs ? Number(new DataView(start.buffer).getBigUint64(0)) : 0;
    const name = toHex(nonce);
    if (nowMs >= untilMs || this.used.has(name)) {
      throw new SealcamError('session-refused', 'the challenge is unknown, used or expired');
    }
    if (this.used.size >= USED_CHALLENGES_MAX) forgetExpired(this.used, nowMs);
    // What was used once must not be forgotten early, or it could be used again.
    if (this.used.size >= USED_CHALLENGES_MAX) throw new SealcamError('rate-limited', 'too many sessions were opened');
    this.used.set(name, { untilMs });
  }

  /** Ends sessions until there is room for one more: those of the same person first, then of the address with the most. */
  private makeRoom(key: Uint8Array, address: string, nowMs: number): void {
    const own = [...this.tokens].filter(([, session]) => equal(session.key, key));
    for (const [token] of own.slice(0, Math.max(0, own.length - SESSIONS_PER_KEY_MAX + 1))) this.tokens.delete(token);
    const most = this.settings.sessionsMax ?? SESSIONS_MAX;
    if (this.tokens.size >= most) forgetExpired(this.tokens, nowMs);
    if (this.tokens.size < most) return;
    const byAddress = new Map<string, string[]>([[address, []]]);
    for (const [token, { address: from }] of this.tokens) {
      const tokens = byAddress.get(from) ?? [];
      tokens.push(token);
      byAddress.set(from, tokens);
    }
    const [largest = []] = [...byAddress.values()].sort((a, b) => b.length - a.length);
    for (const token of largest.slice(0, Math.ceil(largest.length / ROOM_SHARE))) this.tokens.delete(token);
  }
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

function forgetExpired(map: Map<string, Ending>, nowMs: number): void {
  for (const [key, { untilMs }] of map) if (nowMs >= untilMs) map.delete(key);
}
