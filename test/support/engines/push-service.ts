import { createDecipheriv, createECDH, createHmac, createPublicKey, verify, type ECDH } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import { afterThisTest } from '../runner/after-test.js';
import { certificates, type IssuedFiles } from './certificates.js';

/** Written from RFC 8188, 8291 and 8292, with node:crypto: nothing of the library that encrypts and signs. */

const POINT_BYTES = 65;
const SALT_BYTES = 16;
const TAG_BYTES = 16;

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

export interface ReceiverSecrets {
  /** P-256, 32 bytes. */
  readonly privateKey: Uint8Array;
  /** 16 bytes. */
  readonly auth: Uint8Array;
}

/** The keys of one browser's subscription. */
export class PushReceiver {
  private readonly ecdh: ECDH = createECDH('prime256v1');
  private readonly auth: Uint8Array;

  constructor({ privateKey, auth }: Partial<ReceiverSecrets> = {}) {
    if (privateKey === undefined) this.ecdh.generateKeys();
    else this.ecdh.setPrivateKey(privateKey);
    this.auth = auth ?? realRandom.bytes(16);
  }

  /** As a browser gives them to its page. */
  get keys(): { readonly p256dh: string; readonly auth: string } {
    return {
      p256dh: this.ecdh.getPublicKey('base64url'),
      auth: Buffer.from(this.auth).toString('base64url'),
    };
  }

  /** Opens the body of a request (RFC 8291, section 4). @throws Error for a body that is for another receiver */
  open(body: Buffer): Uint8Array {
    const salt = body.subarray(0, SALT_BYTES);
    const recordBytes = body.readUInt32BE(SALT_BYTES);
    const keyBytes = body[SALT_BYTES + 4];
    const senderKey = body.subarray(SALT_BYTES + 5, SALT_BYTES + 5 + POINT_BYTES);
    const sealed = body.subarray(SALT_BYTES + 5 + POINT_BYTES);
    if (keyBytes !== POINT_BYTES || sealed.length > recordBytes) throw new Error('not one record of aes128gcm');
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.ecdh.getPublicKey(), senderKey, Buffer.of(1)]);
    const keying = hmac(hmac(this.auth, this.ecdh.computeSecret(senderKey)), info);
    const secret = hmac(salt, keying);
    const key = hmac(secret, Buffer.from('Content-Encoding: aes128gcm\0\u0001')).subarray(0, 16);
    const nonce = hmac(secret, Buffer.from('Content-Encoding: nonce\0\u0001')).subarray(0, 12);
    const cipher = createDecipheriv('aes-128-gcm', key, nonce);
    cipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const padded = Buffer.concat([cipher.update(sealed.subarray(0, -TAG_BYTES)), cipher.final()]);
    let end = padded.length - 1;
    while (padded[end] === 0) end--;
    if (padded[end] !== 2) throw new Error('not the last record');
    return new Uint8Array(padded.subarray(0, end));
  }
}

/** Its certificate is for this name too. Nothing resolves it, but what a test gives. */
export const NAMED_SERVICE = 'push.example';

/** Who sent a message, as its signature says. */
export interface Vapid {
  readonly key: string;
  readonly subject: string;
  readonly audience: string;
  readonly expiresS: number;
}

/** Checks an Authorization header (RFC 8292). @throws Error */
export function checkVapid(header: string | undefined): Vapid {
  const [, token = '', key = ''] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(header ?? '') ?? [];
  const [head = '', claims = '', signature = ''] = token.split('.');
  const point = Buffer.from(key, 'base64url');
  const half = (from: number): string => point.subarray(from, from + 32).toString('base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x: half(1), y: half(33) };
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${claims}`),
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
  if (!isSigned || (read(head) as { alg?: string }).alg !== 'ES256') throw new Error('not signed by its key');
  const { sub, aud, exp } = read(claims) as { sub: string; aud: string; exp: number };
  return { key, subject: sub, audience: aud, expiresS: exp };
}

export interface PushedMessage {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly vapid: Vapid;
  readonly body: Buffer;
  /** What the browser receives; null where the service took nothing. */
  readonly plaintext: Uint8Array | null;
}

/** What the service answers; `stall` says nothing, `half` never ends, and `endless` never ends and brings more and more. */
export type ServiceAnswer =
  | 'stall'
  | 'half'
  | 'endless'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string | Buffer };

/** A push service on https://127.0.0.1, which opens what it receives with the keys of the browser that it is for. */
export class TestPushService {
  /** Every request, in the order in which they came. */
  readonly messages: PushedMessage[] = [];
  /** Decides what the next requests are answered. */
  answer: (path: string) => ServiceAnswer = () => ({ status: 201 });
  readonly caFile: string;
  /** Bytes of answers without end. */
  poured = 0;
  private readonly server: Server;
  private readonly receivers = new Map<string, PushReceiver>();
  private port = 0;

  private constructor(files: IssuedFiles, caFile: string) {
    this.caFile = caFile;
    this.server = createServer(
      { key: readFileSync(files.key), cert: readFileSync(files.cert) },
      (request, response) => {
        void this.receive(request, response);
      },
    );
  }

  /** Starts one; it ends with the test. */
  static async start(folder: string): Promise<TestPushService> {
    const { ca, issue } = certificates(folder, 'push');
    const service = new TestPushService(issue('push-service', { names: `IP:127.0.0.1,DNS:${NAMED_SERVICE}` }), ca);
    await new Promise<void>((resolve) => service.server.listen(0, '127.0.0.1', resolve));
    const address = service.server.address();
    service.port = typeof address === 'object' && address !== null ? address.port : 0;
    afterThisTest(() => {
      service.server.closeAllConnections();
      service.server.close();
    });
    return service;
  }

  /** As `push.services` lists it. */
  get host(): string {
    return `127.0.0.1:${String(this.port)}`;
  }

  get origin(): string {
    return `https://${this.host}`;
  }

  /** A browser that subscribes, as `PushSubscription.toJSON` gives it. */
  subscribe(receiver = new PushReceiver()): {
    readonly endpoint: string;
    readonly keys: { readonly p256dh: string; readonly auth: string };
  } {
    const path = `/wpush/${toHex(realRandom.bytes(12))}`;
    this.receivers.set(path, receiver);
    return { endpoint: `${this.origin}${path}`, keys: receiver.keys };
  }

  /** Settings of a cloud that sends here. */
  get environment(): Readonly<Record<string, string>> {
    return {
      SEALCLOUD_PUSH_CONTACT: 'mailto:operator@cloud.example',
      SEALCLOUD_PUSH_SERVICES: JSON.stringify([this.host]),
      SEALCLOUD_PUSH_CA_FILE: this.caFile,
    };
  }

  /** What browsers received, in order: those of one endpoint, or all. */
  received(endpoint?: string): readonly Uint8Array[] {
    return this.messages.flatMap(({ path, plaintext }) => {
      const isAsked = endpoint === undefined || `${this.origin}${path}` === endpoint;
      return isAsked && plaintext !== null ? [plaintext] : [];
    });
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const path = request.url ?? '';
    const answer = this.answer(path);
    const isTaken = typeof answer === 'object' && answer.status >= 200 && answer.status < 300;
    const plaintext = isTaken ? (this.receivers.get(path)?.open(body) ?? null) : null;
    const { headers } = request;
    this.messages.push({ path, headers, vapid: checkVapid(headers.authorization), body, plaintext });
    if (answer === 'stall') return;
    if (typeof answer === 'object') {
      response.writeHead(answer.status, answer.headers).end(answer.body ?? '');
      return;
    }
    response.writeHead(201).write('x');
    if (answer === 'endless') this.pour(response);
  }

  /** Writes until the other side has enough. Its end is an event, so each part leaves room for events (Node 24 needs it). */
  private pour(response: ServerResponse): void {
    const part = Buffer.alloc(64 * 1024);
    const more = (): void => {
      if (response.destroyed) return;
      this.poured += part.length;
      if (response.write(part)) setImmediate(more);
      else response.once('drain', more);
    };
    more();
  }
}
