import * as v from '../../common/schema.js';
import { equal, toBase64, toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import { sessionKind } from '../../protocol/objects/session.js';
import { signObject } from '../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import { decodeCbor } from '../../protocol/wire/cbor.js';
import { bytesUpTo, tuple } from '../../protocol/wire/codec.js';
import {
  accessAnswer,
  accountAnswer,
  camerasAnswer,
  challengeAnswer,
  claimAnswer,
  commandAnswer,
  deletionAnswer,
  headsAnswer,
  infoAnswer,
  kemKeyAnswer,
  offerAnswer,
  periodAnswer,
  recordsAnswer,
  revocationAnswer,
  sessionAnswer,
  type AccessAnswer,
  type FirstAnswer,
  type AccountAnswer,
  type CameraItem,
  type OfferAnswer,
  type PeriodAnswer,
  type RecordsAnswer,
} from './cloud-answers.js';
import {
  readUpTo,
  refusalOf,
  type AlarmReport,
  type ApiRequest,
  type PageFetch,
  type PageRequest,
} from './cloud-requests.js';
import { Liveness } from './liveness.js';
import type { OwnerKeys } from './owner-keys.js';
import { serverEvents, type ServerEvent } from './sse.js';

export interface CloudClientOptions {
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

const sealedPair = tuple(bytesUpTo(LIMITS.sealedMaxBytes), bytesUpTo(LIMITS.sealedMaxBytes));
/** A session is renewed this long before it expires. */
const RENEW_BEFORE_EXPIRY_MS = 60_000;

/**
 * Calls the cloud's HTTP API. Methods throw SealcamError: the cloud's own codes, `cloud-unreachable` if it does not
 * answer or answers in another shape, `cloud-lied` if the challenge names another cloud.
 *
 * The session token is held in this object only. When a session ends, the client signs a new challenge.
 */
export class CloudClient {
  private readonly options: CloudClientOptions;
  private readonly liveness: Liveness;
  private session: { readonly token: string; readonly expiresAtMs: number } | null = null;
  private opening: Promise<string> | null = null;
  /** Accounts (hex) of the households that this person accepted. */
  private accepted: readonly string[] = [];
  /** What came with the session, until it is taken. */
  private first: FirstAnswer | null = null;
  private wantsFirst: boolean;
  /** Whether the cloud is of version 0.1: it takes requests as JSON alone, and brings nothing along. */
  private isOldCloud = false;

  constructor(options: CloudClientOptions) {
    this.options = options;
    this.liveness = options.liveness ?? new Liveness(options.clock);
    this.wantsFirst = (options.firstRecords ?? 0) > 0;
  }

  /** Asks whether the cloud answers. @throws SealcamError `cloud-unreachable` */
  async probe(): Promise<void> {
    await this.request({ method: 'GET', path: '/v1/info', isAnonymous: true }, nothing);
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

  get cloudOrigin(): string {
    return this.options.cloudOrigin;
  }

  /** Returns the keys with which this cloud says it signs receipts, 32 bytes each. The answer is not signed. */
  async receiptKeys(): Promise<readonly Uint8Array[]> {
    return (await this.info()).receiptKeys;
  }

  /** Returns how long this cloud says it keeps records, in milliseconds; 0 where it does not say. */
  async keepsForMs(): Promise<number> {
    return (await this.info()).keepsForMs ?? 0;
  }

  private info(): Promise<v.InferOutput<typeof infoAnswer>> {
    return this.call({ method: 'GET', path: '/v1/info', isAnonymous: true }, infoAnswer);
  }

  /** Returns all cameras that this person may see. */
  async cameras(): Promise<readonly CameraItem[]> {
    return (await this.call({ method: 'GET', path: '/v1/cameras' }, camerasAnswer)).cameras;
  }

  /** Returns a camera's signed offer. @throws SealcamError `not-found` while it has none */
  offer(device: Uint8Array): Promise<OfferAnswer> {
    return this.call({ method: 'GET', path: `/v1/devices/${toHex(device)}/offer` }, offerAnswer);
  }

  /**
   * Sends a signed claim; `mac` proves knowledge of the claim code and is null for a camera that is ours already. `kemKeys` are
   * those of a claim of version 2, in its order.
   */
  async sendClaim(
    claim: Uint8Array,
    mac: Uint8Array | null,
    kemKeys: readonly Uint8Array[] | null = null,
  ): Promise<'pending' | 'accepted'> {
    const body = { claim: toBase64(claim), mac: mac === null ? null : toHex(mac), ...beside(kemKeys) };
    return (await this.call({ method: 'POST', path: '/v1/claims', body }, claimAnswer)).state;
  }

  /** Sends a claim that its camera accepted, with the camera's signed accept record, to a cloud that lost both. */
  async sendAccept(claim: Uint8Array, accept: Uint8Array, kemKeys: readonly Uint8Array[] | null = null): Promise<void> {
    const body = { claim: toBase64(claim), accept: toBase64(accept), ...beside(kemKeys) };
    await this.request({ method: 'POST', path: '/v1/claims/accepted', body }, nothing);
  }

  /** Deposits a KEM key, which anyone may then ask for by its hash. @throws SealcamError `unsupported` by an older cloud */
  async sendKemKey(hash: Uint8Array, kemKey: Uint8Array): Promise<void> {
    const { takesKemKeys = false } = await this.info();
    if (!takesKemKeys) throw new SealcamError('unsupported', 'the cloud does not take KEM keys');
    const body = { kemKey: toBase64(kemKey) };
    await this.request({ method: 'PUT', path: `/v1/kem-keys/${toHex(hash)}`, body }, nothing);
  }

  /**
   * Returns the KEM key of this hash.
   * @throws SealcamError `not-found` where the cloud has none; `cloud-lied` for another key
   */
  async kemKey(hash: Uint8Array): Promise<Uint8Array> {
    const { kemKey } = await this.call({ method: 'GET', path: `/v1/kem-keys/${toHex(hash)}` }, kemKeyAnswer);
    if (equal(kemHash(this.options.suite, kemKey), hash)) return kemKey;
    throw new SealcamError('cloud-lied', 'the cloud sent another KEM key than was asked for');
  }

  /** Asks a camera for an offer that admits only its current owner's next claim. */
  async requestOffer(device: Uint8Array): Promise<void> {
    await this.request({ method: 'POST', path: `/v1/devices/${toHex(device)}/offer-request`, body: {} }, nothing);
  }

  /** Returns this person's newest revocation list, as the cloud has it; null before the first. */
  async revocation(): Promise<Uint8Array | null> {
    return (await this.call({ method: 'GET', path: '/v1/revocations' }, revocationAnswer)).list;
  }

  /** Sends a signed revocation list. @throws SealcamError `revocation-rollback` unless its version is above the last */
  async sendRevocation(list: Uint8Array): Promise<void> {
    await this.request({ method: 'POST', path: '/v1/revocations', body: { list: toBase64(list) } }, nothing);
  }

  /** Sends a signed order to a camera. `online` is the broker's hint, or null without one. */
  sendCommand(device: Uint8Array, command: Uint8Array): Promise<{ readonly online: boolean | null }> {
    const body = { command: toBase64(command) };
    return this.call({ method: 'POST', path: `/v1/devices/${toHex(device)}/commands`, body }, commandAnswer);
  }

  /** Returns up to `limit` of the newest records with a seq below `before`; without `before`, the newest of all. */
  records(device: Uint8Array, epoch: number, before: number | null, limit: number): Promise<RecordsAnswer> {
    const query = `limit=${String(limit)}${before === null ? '' : `&before=${String(before)}`}`;
    const path = `/v1/cameras/${toHex(device)}/${String(epoch)}/records?${query}`;
    return this.call({ method: 'GET', path }, recordsAnswer);
  }

  /** Returns the statements of heads of the household's browsers, not yet verified. */
  async heads(): Promise<readonly Uint8Array[]> {
    return (await this.call({ method: 'GET', path: '/v1/heads' }, headsAnswer)).statements;
  }

  /** Sends this browser's statement of heads. */
  async sendHeads(heads: Uint8Array): Promise<void> {
    await this.request({ method: 'POST', path: '/v1/heads', body: { heads: toBase64(heads) } }, nothing);
  }

  /** Returns a sealed media object, not yet compared with the record that names it. */
  async media(device: Uint8Array, epoch: number, id: Uint8Array): Promise<SealedObject> {
    const path = `/v1/cameras/${toHex(device)}/${String(epoch)}/media/${toHex(id)}`;
    const bytes = await this.request({ method: 'GET', path }, (response) => response.arrayBuffer());
    const raw = decodeCbor(new Uint8Array(bytes), {
      maxBytes: LIMITS.messageMaxBytes,
      maxDepth: 2,
      maxItems: 4,
    });
    const [header, body] = sealedPair.fromCbor(raw, 'media');
    return { header, body };
  }

  /** Returns the body of a segment, not yet compared with the record that names it. @throws SealcamError `not-found` */
  segment(device: Uint8Array, epoch: number, hash: Uint8Array): Promise<Uint8Array> {
    const path = `/v1/media/${toHex(device)}/${String(epoch)}/${toHex(hash)}`;
    return this.request({ method: 'GET', path }, (answer) => readUpTo(answer, LIMITS.segmentSealedMaxBytes));
  }

  /** Returns the key record of a period and the body of its object, neither verified. @throws SealcamError `not-found` */
  keyRecord(device: Uint8Array, epoch: number, periodId: Uint8Array): Promise<PeriodAnswer> {
    const path = `/v1/devices/${toHex(device)}/epochs/${String(epoch)}/periods/${toHex(periodId)}`;
    return this.call({ method: 'GET', path }, periodAnswer);
  }

  /** Returns the access log of this person's cameras. */
  access(): Promise<AccessAnswer> {
    return this.call({ method: 'GET', path: '/v1/access' }, accessAnswer);
  }

  /** Reports to the operator that this page refused something. */
  async reportAlarm(report: AlarmReport): Promise<void> {
    await this.request({ method: 'POST', path: '/v1/alarms', body: report }, nothing);
  }

  /** Returns everything the cloud holds of this account, as one file. */
  export(): Promise<Blob> {
    const request: ApiRequest = { method: 'GET', path: '/v1/account/export', isLong: true };
    return this.request(request, (response) => response.blob());
  }

  /** Deletes records: hides them at once, and erases them at the time that the answer names. */
  deleteRecords(statements: readonly Uint8Array[]): Promise<{ readonly eraseAtMs: number }> {
    const body = { statements: statements.map(toBase64) };
    return this.call({ method: 'POST', path: '/v1/deletions', body }, deletionAnswer);
  }

  /** Takes a deletion of records back. @throws SealcamError `not-found` once they are erased */
  async undoDeletion(statements: readonly Uint8Array[]): Promise<void> {
    const body = { statements: statements.map(toBase64) };
    await this.request({ method: 'POST', path: '/v1/deletions/undo', body }, nothing);
  }

  /** Returns whether the account is deleted, and when it is erased. */
  account(): Promise<AccountAnswer> {
    return this.call({ method: 'GET', path: '/v1/account' }, accountAnswer);
  }

  /** Deletes the account: nothing of it can be read from now on, and at the time in the answer it is erased. */
  deleteAccount(statements: readonly Uint8Array[]): Promise<{ readonly eraseAtMs: number }> {
    const body = { account: toHex(this.options.keys.account), statements: statements.map(toBase64) };
    return this.call({ method: 'DELETE', path: '/v1/account', body }, deletionAnswer);
  }

  /** Takes the deletion of the account back. @throws SealcamError `not-found` once it is erased */
  async restoreAccount(): Promise<void> {
    const body = { account: toHex(this.options.keys.account) };
    await this.request({ method: 'POST', path: '/v1/account/restore', body }, nothing);
  }

  /** Yields live events, those after `lastId` first, until the connection ends or the signal fires. */
  async *stream(lastId: number | null, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    const headers = lastId === null ? {} : { 'last-event-id': String(lastId) };
    const request: ApiRequest = { method: 'GET', path: '/v1/stream', headers, signal };
    const body = await this.request(request, (response) => Promise.resolve(response.body));
    if (body === null) throw new SealcamError('cloud-unreachable', 'a stream without a body');
    yield* serverEvents(body, (chunk) => this.liveness.within(chunk), signal);
  }

  private async call<T>(request: ApiRequest, schema: v.GenericSchema<unknown, T>): Promise<T> {
    const answer: unknown = await this.request(request, (response): Promise<unknown> =>
      response.json().catch(() => null),
    );
    const result = v.safeParse(schema, answer);
    if (!result.success) throw new SealcamError('cloud-unreachable', `${request.path}: an answer of another shape`);
    return result.output;
  }

  private async request<T>(request: ApiRequest, read: (response: Response) => Promise<T>): Promise<T> {
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

/** A cloud of version 0.1 refuses a claim with anything beside it. */
function beside(kemKeys: readonly Uint8Array[] | null): { readonly kemKeys?: readonly string[] } {
  return kemKeys === null ? {} : { kemKeys: kemKeys.map(toBase64) };
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
