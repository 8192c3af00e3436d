import { createReadStream } from 'node:fs';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { createHash } from 'node:crypto';
import { toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { SegmentKey } from '../store/segment-store.js';
import type { MediaStore } from './media-store.js';
import { S3Signer, type S3Access } from './s3-signer.js';
import { asStoreError, type StagedBody } from './staging.js';

export interface S3Settings extends S3Access {
  /** Endpoint and bucket: https://s3.example/bucket, or with a prefix after it. */
  readonly url: string;
}

interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

const ANSWER_TIMEOUT_MS = 30_000;
const CONNECTIONS_MAX = 64;
/** An error of S3 as XML, or a body. */
const ANSWER_MAX_BYTES = LIMITS.segmentSealedMaxBytes;
const NO_BYTES = new Uint8Array(0);
const PROBE = '.sealcam-probe';

/**
 * Bodies as objects of an S3 bucket. Each PUT signs the length and the SHA-256 of its body. An engine that checks them refuses other
 * bytes, so that what it stored has this hash; whether it does is tried before the first body, and where it does not,
 * every body is read back.
 */
export class S3Store implements MediaStore {
  private readonly base: string;
  private readonly signer: S3Signer;
  private readonly clock: Clock;
  private readonly agent: Agent;
  /** Whether the engine refuses other bytes than the ones that were signed; null before it was tried. */
  private checking: Promise<boolean> | null = null;

  constructor({ url, ...access }: S3Settings, clock: Clock) {
    this.base = url.endsWith('/') ? url.slice(0, -1) : url;
    this.signer = new S3Signer(access);
    this.clock = clock;
    const options = { keepAlive: true, maxSockets: CONNECTIONS_MAX };
    this.agent = url.startsWith('https:') ? new TlsAgent(options) : new Agent(options);
  }

  async put(key: SegmentKey, body: StagedBody): Promise<Uint8Array> {
    const isChecked = await this.isChecking();
    const { status, body: said } = await this.send('PUT', this.nameOf(key), body.sha256, body);
    if (status !== 200) throw this.refused('PUT', status, said);
    if (isChecked) return body.sha256;
    const stored = await this.get(key);
    if (stored === undefined)
      throw new SealcamError('store-unavailable', `${this.base}: a body that was stored is not there`);
    return sha256(stored);
  }

  async get(key: SegmentKey): Promise<Uint8Array | undefined> {
    const { status, body } = await this.send('GET', this.nameOf(key));
    if (status === 404) return undefined;
    if (status !== 200) throw this.refused('GET', status, body);
    return body;
  }

  async remove(key: SegmentKey): Promise<void> {
    await this.removeObject(this.nameOf(key));
  }

  close(): Promise<void> {
    this.agent.destroy();
    return Promise.resolve();
  }

  private async removeObject(name: string): Promise<void> {
    const { status, body } = await this.send('DELETE', name);
    if (status !== 204 && status !== 200 && status !== 404) throw this.refused('DELETE', status, body);
  }

  /** Tries once whether the engine takes bytes with another hash than the one that was signed. */
  private isChecking(): Promise<boolean> {
    this.checking ??= this.probe().catch((error: unknown) => {
      this.checking = null;
      throw error;
    });
    return this.checking;
  }

  private async probe(): Promise<boolean> {
    const { status, body } = await this.send('PUT', PROBE, sha256(new Uint8Array([1])), new Uint8Array([2]));
    if (status === 400) return true;
    if (status !== 200) throw this.refused('PUT', status, body);
    await this.removeObject(PROBE);
    return false;
  }

  private nameOf({ device, epoch, bodyHash }: SegmentKey): string {
    return `${toHex(device)}/${String(epoch)}/${toHex(bodyHash)}`;
  }

  private refused(method: string, status: number, body: Uint8Array): SealcamError {
    const code = /<Code>(\w{1,64})<\/Code>/.exec(Buffer.from(body).toString('latin1'))?.[1] ?? 'without a code';
    return new SealcamError('store-unavailable', `${this.base}: ${method} answered ${String(status)} ${code}`, {
      hint: 'Check media.s3Url, its bucket, the key and its rights.',
    });
  }

  /** Sends a request whose body has this hash and length, and reads the answer. */
  private async send(
    method: string,
    name: string,
    hash = sha256(NO_BYTES),
    body: StagedBody | Uint8Array = NO_BYTES,
  ): Promise<Answer> {
    try {
      const url = new URL(`${this.base}/${name}`);
      const headers = await this.signer.sign(
        {
          method,
          url,
          headers: { 'content-length': String(body.length), 'x-amz-content-sha256': toHex(hash) },
        },
        this.clock.wallMs(),
      );
      return await this.exchange(method, url, headers, body);
    } catch (error) {
      throw asStoreError(error, this.base);
    }
  }

  private async exchange(
    method: string,
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: StagedBody | Uint8Array,
  ): Promise<Answer> {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, { method, headers, agent: this.agent, signal });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      request.once('error', reject);
    });
    // It may answer, and close, before it has read all of the body.
    if (body instanceof Uint8Array) request.end(body);
    else await Promise.race([pipeline(createReadStream(body.path), request), answered]);
    const response = await answered;
    const parts: Buffer[] = [];
    let length = 0;
    for await (const part of response) {
      const bytes = part as Buffer;
      length += bytes.length;
      if (length > ANSWER_MAX_BYTES) throw new Error('an answer longer than any body');
      parts.push(bytes);
    }
    return { status: response.statusCode ?? 0, body: new Uint8Array(Buffer.concat(parts)) };
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
