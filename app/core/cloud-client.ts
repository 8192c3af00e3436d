import type { z } from '../../common/schema.js';
import { toBase64, toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { ERROR_CODES, type ErrorCode } from '../../common/error-codes.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { sessionKind } from '../../protocol/objects/session.js';
import { signObject } from '../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import { decodeCbor } from '../../protocol/wire/cbor.js';
import { bytesUpTo, tuple } from '../../protocol/wire/codec.js';
import type { Verdict } from '../../protocol/verify/verdict.js';
import {
  accessAnswer,
  camerasAnswer,
  challengeAnswer,
  claimAnswer,
  commandAnswer,
  errorAnswer,
  infoAnswer,
  offerAnswer,
  recordsAnswer,
  sessionAnswer,
  type AccessEntry,
  type CameraItem,
  type RecordsAnswer,
} from './cloud-answers.js';
import type { OwnerKeys } from './owner-keys.js';
import { EventParser, type ServerEvent } from './sse.js';

export interface CloudClientOptions {
  /** Origin of the cloud's API; also what the session is signed for. */
  readonly cloudOrigin: string;
  /** Origin of this page. */
  readonly pageOrigin: string;
  readonly suite: CryptoSuite;
  readonly keys: OwnerKeys;
  readonly clock: Clock;
  readonly fetch: PageFetch;
}

export interface AlarmReport {
  readonly verdict: Verdict | 'older-history';
  readonly code: string;
  /** Hex; null where nobody knows whose it was said to be. */
  readonly device: string | null;
  readonly epoch: number | null;
}

/** The global fetch, with what Node's types leave out. */
export type PageFetch = (url: string, init: PageRequest) => Promise<Response>;
export type PageRequest = RequestInit & { readonly cache?: 'no-store' };

const sealedPair = tuple(bytesUpTo(LIMITS.sealedMaxBytes), bytesUpTo(LIMITS.sealedMaxBytes));
/** A session is renewed this long before it ends. */
const RENEW_MS = 60_000;

/** Talks to the cloud. The token lives in this object alone; a session that ended is opened again by signing a new challenge. */
export class CloudClient {
  private readonly options: CloudClientOptions;
  private session: { readonly token: string; readonly expiresAtMs: number } | null = null;
  private opening: Promise<string> | null = null;

  constructor(options: CloudClientOptions) {
    this.options = options;
  }

  async receiptKeys(): Promise<readonly Uint8Array[]> {
    return (await this.call('GET', '/v1/info', infoAnswer, undefined, false)).receiptKeys;
  }

  async cameras(): Promise<readonly CameraItem[]> {
    return (await this.call('GET', '/v1/cameras', camerasAnswer)).cameras;
  }

  async offer(device: Uint8Array): Promise<Uint8Array> {
    return (await this.call('GET', `/v1/devices/${toHex(device)}/offer`, offerAnswer)).offer;
  }

  async sendClaim(claim: Uint8Array, mac: Uint8Array | null): Promise<'pending' | 'accepted'> {
    const body = { claim: toBase64(claim), mac: mac === null ? null : toHex(mac) };
    return (await this.call('POST', '/v1/claims', claimAnswer, body)).state;
  }

  /** Asks a camera for an offer that admits only its owner's next claim. */
  async requestOffer(device: Uint8Array): Promise<void> {
    await this.request('POST', `/v1/devices/${toHex(device)}/offer-request`, {}, true);
  }

  async sendRevocation(list: Uint8Array): Promise<void> {
    await this.request('POST', '/v1/revocations', { list: toBase64(list) }, true);
  }

  sendCommand(device: Uint8Array, command: Uint8Array): Promise<{ readonly online: boolean | null }> {
    return this.call('POST', `/v1/devices/${toHex(device)}/commands`, commandAnswer, { command: toBase64(command) });
  }

  records(device: Uint8Array, epoch: number, before: number | null, limit: number): Promise<RecordsAnswer> {
    const query = `limit=${String(limit)}${before === null ? '' : `&before=${String(before)}`}`;
    return this.call('GET', `/v1/cameras/${toHex(device)}/${String(epoch)}/records?${query}`, recordsAnswer);
  }

  async media(device: Uint8Array, epoch: number, id: Uint8Array): Promise<SealedObject> {
    const path = `/v1/cameras/${toHex(device)}/${String(epoch)}/media/${toHex(id)}`;
    const response = await this.request('GET', path, undefined, true);
    const raw = decodeCbor(new Uint8Array(await response.arrayBuffer()), {
      maxBytes: LIMITS.messageMaxBytes,
      maxDepth: 2,
      maxItems: 4,
    });
    const [header, body] = sealedPair.fromCbor(raw, 'media');
    return { header, body };
  }

  async access(): Promise<readonly AccessEntry[]> {
    return (await this.call('GET', '/v1/access', accessAnswer)).entries;
  }

  /** Tells the operator that something was refused here: which camera and why, never what. */
  async reportAlarm(report: AlarmReport): Promise<void> {
    await this.request('POST', '/v1/alarms', report, true);
  }

  async export(): Promise<Blob> {
    return (await this.request('GET', '/v1/account/export', undefined, true)).blob();
  }

  async deleteAccount(): Promise<void> {
    await this.request('DELETE', '/v1/account', { account: toHex(this.options.keys.account) }, true);
  }

  /** Live events until the connection ends or the signal fires. */
  async *stream(lastId: number | null, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    const headers = lastId === null ? {} : { 'last-event-id': String(lastId) };
    const response = await this.request('GET', '/v1/stream', undefined, true, headers, signal);
    if (response.body === null) throw new SealcamError('cloud-unreachable', 'a stream without a body');
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const parser = new EventParser();
    // Node's fetch lets go of its signal once the headers are there, and a stream would go on for ever.
    const stop = (): void => {
      reader.cancel().catch(() => undefined);
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        yield* parser.push(decoder.decode(value, { stream: true }));
      }
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
    }
  }

  private async call<T>(
    method: string,
    path: string,
    schema: z.ZodType<T>,
    body?: unknown,
    withSession = true,
  ): Promise<T> {
    const response = await this.request(method, path, body, withSession);
    const result = schema.safeParse(await response.json().catch(() => null));
    if (!result.success) throw new SealcamError('cloud-unreachable', `${path}: an answer of another shape`);
    return result.data;
  }

  private async request(
    method: string,
    path: string,
    body: unknown,
    withSession: boolean,
    headers: Readonly<Record<string, string>> = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    for (let attempt = 0; ; attempt++) {
      const authorization = withSession ? { authorization: `Bearer ${await this.token()}` } : {};
      const content = body === undefined ? {} : { 'content-type': 'application/json' };
      try {
        return await this.send(path, {
          method,
          headers: { ...headers, ...authorization, ...content },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          ...(signal === undefined ? {} : { signal }),
        });
      } catch (error) {
        // The cloud forgets sessions when it restarts: sign a new challenge once, then give up.
        const hasEnded = isSealcamError(error) && error.code === 'session-refused';
        if (!hasEnded || !withSession || attempt > 0) throw error;
        this.session = null;
      }
    }
  }

  private async send(path: string, init: PageRequest): Promise<Response> {
    let response: Response;
    try {
      response = await this.options.fetch(this.options.cloudOrigin + path, {
        ...init,
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
      });
    } catch (cause) {
      throw new SealcamError('cloud-unreachable', 'the cloud does not answer', { cause });
    }
    if (response.ok) return response;
    const answer = errorAnswer.safeParse(await response.json().catch(() => null));
    if (!answer.success) throw new SealcamError('cloud-unreachable', `the cloud answered ${String(response.status)}`);
    const { code, message, hint } = answer.data.error;
    const known: ErrorCode = code in ERROR_CODES ? (code as ErrorCode) : 'request-invalid';
    throw new SealcamError(known, message, { hint });
  }

  private async token(): Promise<string> {
    if (this.session !== null && this.options.clock.wallMs() < this.session.expiresAtMs - RENEW_MS)
      return this.session.token;
    this.opening ??= this.openSession().finally(() => {
      this.opening = null;
    });
    return this.opening;
  }

  private async openSession(): Promise<string> {
    const { cloudOrigin, pageOrigin, suite, keys } = this.options;
    const challenge = await this.call('POST', '/v1/session/challenge', challengeAnswer, {}, false);
    // A cloud that passes on another's challenge must not get a signature that is good there.
    if (challenge.cloudOrigin !== cloudOrigin) {
      throw new SealcamError('cloud-lied', `the challenge is of ${challenge.cloudOrigin}, not of ${cloudOrigin}`);
    }
    const { nonce, expiresAtMs } = challenge;
    const signed = signObject(sessionKind, suite, keys.signer, { cloudOrigin, pageOrigin, nonce, expiresAtMs });
    const session = await this.call('POST', '/v1/session', sessionAnswer, { session: toBase64(signed.bytes) }, false);
    this.session = session;
    return session.token;
  }
}
