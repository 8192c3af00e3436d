import * as v from '../../common/schema.js';
import { toBase64 } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { sessionKind } from '../../protocol/objects/session.js';
import { signObject } from '../../protocol/objects/signed-object.js';
import { challengeAnswer, sessionAnswer, type FirstAnswer } from './cloud-answers.js';
import { refusalOf, type ApiRequest, type PageFetch, type PageRequest } from './cloud-requests.js';
import { Liveness } from './liveness.js';
import type { OwnerKeys } from './owner-keys.js';

export interface CloudConnectionOptions {
  /** Origin of the cloud's API; the signed session names it. */
  readonly cloudOrigin: string;
  /** Origin of this page. */
  readonly pageOrigin: string;
  readonly suite: CryptoSuite;
  readonly keys: OwnerKeys;
  readonly clock: Clock;
  readonly fetch: PageFetch;
  /** Limits every wait for the cloud; one of its own if omitted. */
  readonly liveness?: Liveness;
  /** How many of each camera's newest records the first session brings along; none if omitted. */
  readonly firstRecords?: number;
}

/** A session is renewed this long before it expires. */
const RENEW_BEFORE_EXPIRY_MS = 60_000;

/**
 * Sends requests to a cloud, in a session that it opens and renews. Its requests throw SealcamError: the cloud's own codes,
 * `cloud-unreachable` if it does not answer or answers in another shape, `cloud-lied` if the challenge names another cloud.
 *
 * The session token is held in this object only. When a session ends, a new challenge is signed.
 */
export class CloudConnection {
  protected readonly options: CloudConnectionOptions;
  protected readonly liveness: Liveness;
  private session: { readonly token: string; readonly expiresAtMs: number } | null = null;
  private opening: Promise<string> | null = null;
  /** Accounts (hex) of the households that this person accepted. */
  private accepted: readonly string[] = [];
  /** What came with the session, until it is taken. */
  private first: FirstAnswer | null = null;
  private wantsFirst: boolean;
  /** Whether the cloud is of version 0.1: it takes requests as JSON alone, and brings nothing along. */
  private isOldCloud = false;

  constructor(options: CloudConnectionOptions) {
    this.options = options;
    this.liveness = options.liveness ?? new Liveness(options.clock);
    this.wantsFirst = (options.firstRecords ?? 0) > 0;
  }

  /** Names the households that this person accepted. The cloud lists all their cameras from the next session on. */
  acceptHouseholds(accounts: readonly string[]): void {
    if (accounts.join(' ') === this.accepted.join(' ')) return;
    this.accepted = accounts;
    this.session = null;
    this.first = null;
  }

  /** Returns what came with the first session: cameras and their newest records. Null where nothing did, and the next time. */
  async takeFirst(): Promise<FirstAnswer | null> {
    if (this.options.firstRecords === undefined) return null;
    await this.token();
    const { first } = this;
    this.first = null;
    return first;
  }

  /** Sends a request, and returns its answer in the shape that it must have. */
  async call<T>(request: ApiRequest, schema: v.GenericSchema<unknown, T>): Promise<T> {
    const answer: unknown = await this.request(request, (response): Promise<unknown> =>
      response.json().catch(() => null),
    );
    const result = v.safeParse(schema, answer);
    if (!result.success) throw new SealcamError('cloud-unreachable', `${request.path}: an answer of another shape`);
    return result.output;
  }

  /** Sends a request; `read` takes the answer. */
  async request<T>(request: ApiRequest, read: (response: Response) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      const token = request.isAnonymous === true ? null : await this.token();
      try {
        return await this.send(request, token, read);
      } catch (error) {
        // The cloud forgets its sessions when it restarts: sign one new challenge, then give up.
        const hasEnded = isSealcamError(error) && error.code === 'session-refused';
        if (!hasEnded || token === null || attempt > 0) throw error;
        this.session = null;
      }
    }
  }

  /** Sends one request and reads its answer, each within the limit of a connection that lives. */
  private async send<T>(
    { method, path, body, headers = {}, signal, isLong = false }: ApiRequest,
    token: string | null,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const over = new AbortController();
    const stop = (): void => {
      over.abort();
    };
    signal?.addEventListener('abort', stop, { once: true });
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
    // As text, a request without a session needs no leave of the cloud's (Fetch, CORS-safelisted): one round trip less.
    const type = token === null && !this.isOldCloud ? 'text/plain' : 'application/json';
    const content = body === undefined ? {} : { 'content-type': type };
    const init: PageRequest = {
      method,
      headers: { ...headers, ...authorization, ...content },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: over.signal,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
    };
    try {
      const response = await this.liveness.within(this.options.fetch(this.options.cloudOrigin + path, init));
      if (!response.ok) throw await this.liveness.within(refusalOf(response));
      return await this.liveness.within(read(response), isLong ? Infinity : undefined);
    } catch (cause) {
      // Nobody waits for the rest any longer.
      stop();
      if (isSealcamError(cause)) throw cause;
      throw new SealcamError('cloud-unreachable', 'the cloud does not answer', { cause });
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  private async token(): Promise<string> {
    const nowMs = this.options.clock.wallMs();
    if (this.session !== null && nowMs < this.session.expiresAtMs - RENEW_BEFORE_EXPIRY_MS) return this.session.token;
    this.opening ??= this.openSession().finally(() => {
      this.opening = null;
    });
    return this.opening;
  }

  private async openSession(): Promise<string> {
    const { cloudOrigin, pageOrigin, suite, keys, firstRecords = 0 } = this.options;
    const challenge = await this.call(
      { method: 'POST', path: '/v1/session/challenge', isAnonymous: true },
      challengeAnswer,
    );
    // A cloud that relays another cloud's challenge must not receive a signature that is valid there.
    if (challenge.cloudOrigin !== cloudOrigin) {
      throw new SealcamError('cloud-lied', `the challenge is from ${challenge.cloudOrigin}, not from ${cloudOrigin}`);
    }
    const { nonce, expiresAtMs } = challenge;
    const signed = signObject(sessionKind, suite, keys.signer, { cloudOrigin, pageOrigin, nonce, expiresAtMs });
    const accepted = this.accepted.length === 0 ? {} : { accepted: this.accepted };
    const asked = this.wantsFirst && !this.isOldCloud ? { first: firstRecords } : {};
    const body = { session: toBase64(signed.bytes), ...accepted, ...asked };
    try {
      const request: ApiRequest = { method: 'POST', path: '/v1/session', body, isAnonymous: true };
      const { first, ...session } = await this.call(request, sessionAnswer);
      this.session = session;
      this.first = first ?? null;
      this.wantsFirst = false;
      return session.token;
    } catch (error) {
      if (this.isOldCloud || !isSealcamError(error) || error.code !== 'request-invalid') throw error;
      this.isOldCloud = true;
      return this.openSession();
    }
  }
}
