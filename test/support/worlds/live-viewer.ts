import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toBase64, toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { AnyClaim } from '../../../protocol/objects/claim.js';
import { KEM_KEY_BYTES } from '../../../protocol/objects/ids.js';
import { lookKind, type Look } from '../../../protocol/objects/look.js';
import { sessionKind } from '../../../protocol/objects/session.js';
import { signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import { decodeLive, encodeLive, LIVE_FLAGS } from '../../../protocol/transport/live.js';
import { afterThisTest } from '../runner/after-test.js';
import { PAGE_ORIGIN } from './test-cloud.js';

const { keyUnit, initialisation, end } = LIVE_FLAGS;
/** Units from one key unit to the next. */
const UNITS_PER_KEY = 5;

/** Signs an order to look. */
export function lookOrder(claim: Verified<AnyClaim>, signer: Signer, change: Partial<Look> = {}): Verified<Look> {
  const { device, epoch } = claim.value;
  return signObject(lookKind, nodeSuite, signer, {
    version: 2,
    device,
    epoch,
    claimHash: claim.hash,
    session: realRandom.bytes(16),
    kemKey: (change.renewal ?? 0) > 0 ? null : realRandom.bytes(KEM_KEY_BYTES),
    renewal: 0,
    seconds: 60,
    recent: [0, claim.hash],
    ...change,
  });
}

/** What a camera publishes in one look, as noise: an initialisation, then units of which every fifth is a key unit. */
export class LiveSender {
  private readonly session: Uint8Array;
  private readonly bytes: number;
  private n = 0;

  constructor(session: Uint8Array, bytes = 100) {
    this.session = session;
    this.bytes = bytes;
  }

  next(flags = this.n === 0 ? initialisation : (this.n - 1) % UNITS_PER_KEY === 0 ? keyUnit : 0): Uint8Array {
    return encodeLive({ session: this.session, n: this.n++, flags, ciphertext: realRandom.bytes(this.bytes) });
  }

  last(): Uint8Array {
    return encodeLive({ session: this.session, n: this.n++, flags: end, ciphertext: realRandom.bytes(16) });
  }

  many(count: number): Uint8Array[] {
    return Array.from({ length: count }, () => this.next());
  }
}

const LAST_FRAME = 0xffffffff;

/** A viewer's side of a look, over a socket. */
export class Viewer {
  readonly status: number;
  readonly contentType: string;
  /** Live messages as they came. */
  readonly messages: Uint8Array[] = [];
  keepAlives = 0;
  /** The last frame; null before it has come. */
  reason: { readonly code: string; readonly message: string } | null = null;
  isEnded = false;
  private readonly asked: ClientRequest;
  private readonly response: IncomingMessage;
  private rest = Buffer.alloc(0);

  private constructor(asked: ClientRequest, response: IncomingMessage) {
    this.asked = asked;
    this.response = response;
    this.status = response.statusCode ?? 0;
    this.contentType = response.headers['content-type'] ?? '';
    response.on('error', () => undefined);
    response.on('close', () => {
      this.isEnded = true;
    });
  }

  /** Sends an order, and reads what follows unless `isReading` is false. */
  static open(port: number, token: string, order: Verified<Look>, isReading = true): Promise<Viewer> {
    return new Promise((resolve, reject) => {
      const body = JSON.stringify({ order: toBase64(order.bytes) });
      const asked = request({
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: `/v1/devices/${toHex(order.value.device)}/looks`,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      });
      afterThisTest(() => {
        asked.destroy();
      });
      asked.on('error', reject);
      asked.once('response', (response) => {
        const viewer = new Viewer(asked, response);
        if (isReading) viewer.read();
        resolve(viewer);
      });
      asked.end(body);
    });
  }

  /** Numbers of the messages. */
  get numbers(): number[] {
    return this.messages.map((message) => decodeLive(message).n);
  }

  read(): void {
    this.response.on('data', (part: Buffer) => {
      this.rest = Buffer.concat([this.rest, part]);
      if (this.status === 200) while (this.readFrame());
    });
  }

  /** What a refusal says. */
  get refusal(): unknown {
    return this.status === 200 ? null : (JSON.parse(this.rest.toString()) as unknown);
  }

  leave(): void {
    this.asked.destroy();
  }

  /** Reads one frame; returns whether there was a whole one. */
  private readFrame(): boolean {
    if (this.rest.length < 4) return false;
    const length = this.rest.readUInt32BE(0);
    const isLast = length === LAST_FRAME;
    const start = isLast ? 8 : 4;
    if (this.rest.length < start) return false;
    const stop = start + (isLast ? this.rest.readUInt32BE(4) : length);
    if (this.rest.length < stop) return false;
    const payload = this.rest.subarray(start, stop);
    this.rest = this.rest.subarray(stop);
    if (isLast) this.reason = JSON.parse(payload.toString()) as { code: string; message: string };
    else if (length === 0) this.keepAlives++;
    else this.messages.push(new Uint8Array(payload));
    return true;
  }
}

/** Opens a session at a cloud; returns its token. */
export async function openSession(origin: string, signer: Signer): Promise<string> {
  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${origin}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await response.json()) as Record<string, unknown>;
  };
  const { cloudOrigin, nonce, expiresAtMs } = await post('/v1/session/challenge', {});
  const signed = signObject(sessionKind, nodeSuite, signer, {
    cloudOrigin: String(cloudOrigin),
    pageOrigin: PAGE_ORIGIN,
    nonce: new Uint8Array(Buffer.from(String(nonce), 'hex')),
    expiresAtMs: Number(expiresAtMs),
  });
  return String((await post('/v1/session', { session: toBase64(signed.bytes) }))['token']);
}
