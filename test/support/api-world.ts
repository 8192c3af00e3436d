import { join } from 'node:path';
import { realRandom } from '../../common/adapters/real-random.js';
import { toBase64, toHex } from '../../common/bytes.js';
import { Counters } from '../../common/counters.js';
import { silentLog } from '../../common/log.js';
import type { ApiContext } from '../../cloud/api/context.js';
import type { FastifyInstance } from '../../cloud/api/fastify.js';
import { Feed } from '../../cloud/api/feed.js';
import { Reader } from '../../cloud/api/reader.js';
import { buildServer } from '../../cloud/api/server.js';
import { Sessions } from '../../cloud/api/sessions.js';
import { openSqliteStore } from '../../cloud/store/sqlite/sqlite-store.js';
import type { CloudStore } from '../../cloud/store/store.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import type { Signer } from '../../protocol/crypto/suite.js';
import type { RecordMedia } from '../../protocol/objects/record.js';
import { sessionKind, type Session } from '../../protocol/objects/session.js';
import { signObject } from '../../protocol/objects/signed-object.js';
import { CameraWorld } from './camera-world.js';
import { tempFolder } from './temp.js';
import { VirtualClock } from './virtual-clock.js';

export const CLOUD = 'https://cloud.example';
export const PAGE = 'https://app.example';

/** The events API on a fresh store, asked without a network. */
export class ApiWorld {
  readonly clock: VirtualClock;
  readonly counters: Counters;
  readonly receiptSigner: Signer;
  readonly sentDown: { device: Uint8Array; payload: Uint8Array }[];
  readonly store: CloudStore;
  readonly app: FastifyInstance;

  private constructor(parts: Pick<ApiWorld, 'clock' | 'counters' | 'receiptSigner' | 'sentDown' | 'store' | 'app'>) {
    ({
      clock: this.clock,
      counters: this.counters,
      receiptSigner: this.receiptSigner,
      sentDown: this.sentDown,
      store: this.store,
      app: this.app,
    } = parts);
  }

  static async open(wrap: (store: CloudStore) => CloudStore = (store) => store): Promise<ApiWorld> {
    const store = openSqliteStore(join(tempFolder(), 'cloud.db'));
    const clock = new VirtualClock();
    const counters = new Counters();
    const receiptSigner = nodeSuite.ed25519Signer(realRandom.bytes(32));
    const sentDown: ApiWorld['sentDown'] = [];
    const common = { store: wrap(store), suite: nodeSuite, clock, counters, log: silentLog };
    const settings = { cloudOrigin: () => CLOUD, pageOrigins: [PAGE], lifetimeMs: 3_600_000 };
    const context: ApiContext = {
      ...common,
      sessions: new Sessions(settings, nodeSuite, clock, realRandom),
      reader: new Reader(common),
      feed: new Feed(),
      receiptKeys: [receiptSigner.publicKey],
      cloudOrigin: () => CLOUD,
      sendDown: (device, payload) => sentDown.push({ device, payload }),
    };
    const app = await buildServer(context, {
      host: '127.0.0.1',
      port: 0,
      pageOrigins: [PAGE],
      requestsPerMinute: 10_000,
    });
    return new ApiWorld({ clock, counters, receiptSigner, sentDown, store, app });
  }

  /** Opens a session for a key; `change` spoils what is signed. */
  async session(
    signer: Signer,
    change: Partial<Session> = {},
    headers: Record<string, string> = {},
  ): Promise<{ status: number; token: string }> {
    const challenge = (await this.app.inject({ method: 'POST', url: '/v1/session/challenge' })).json<{
      cloudOrigin: string;
      nonce: string;
      expiresAtMs: number;
    }>();
    const signed = signObject(sessionKind, nodeSuite, signer, {
      cloudOrigin: challenge.cloudOrigin,
      pageOrigin: PAGE,
      nonce: new Uint8Array(Buffer.from(challenge.nonce, 'hex')),
      expiresAtMs: challenge.expiresAtMs,
      ...change,
    });
    return this.answer(signed.bytes, headers);
  }

  async answer(signed: Uint8Array, headers: Record<string, string> = {}): Promise<{ status: number; token: string }> {
    const response = await this.app.inject({
      ...{ method: 'POST', url: '/v1/session', headers },
      payload: { session: toBase64(signed) },
    });
    return { status: response.statusCode, token: response.json<{ token?: string }>().token ?? '' };
  }

  async get(url: string, token: string): Promise<{ status: number; body: unknown; raw: Buffer }> {
    const response = await this.app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } });
    const isJson = response.headers['content-type']?.toString().includes('application/json') === true;
    return { status: response.statusCode, body: isJson ? response.json() : null, raw: response.rawPayload };
  }

  static recordsUrl(device: Uint8Array, epoch = 1): string {
    return `/v1/cameras/${toHex(device)}/${String(epoch)}/records`;
  }
}

export interface Stored {
  readonly world: CameraWorld;
  readonly media: RecordMedia;
  readonly token: string;
}

/** A claimed camera with one pictured event in the store, and its owner's session. */
export async function stored(api: ApiWorld): Promise<Stored> {
  const world = new CameraWorld({ cloud: api.receiptSigner });
  const claim = world.claim();
  const accept = world.record(claim, 0, claim.hash, { kind: 'accept' });
  await api.store.claims.accept(claim, accept, api.clock.wallMs());
  const sealed = { header: realRandom.bytes(150), body: realRandom.bytes(4112) };
  const media: RecordMedia = {
    id: realRandom.bytes(16),
    role: 'thumbnail',
    length: sealed.body.length,
    bodyHash: nodeSuite.sha256(sealed.body),
    headerHash: nodeSuite.sha256(sealed.header),
  };
  const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
  const record = world.record(claim, 1, accept.hash, { kind: 'motion', event, media: [media] });
  await api.store.records.put(record, [{ id: media.id, sealed }], api.clock.wallMs());
  return { world, media, token: (await api.session(world.owner)).token };
}

export function mediaUrl({ world, media }: Stored): string {
  return `/v1/cameras/${toHex(world.deviceId)}/1/media/${toHex(media.id)}`;
}
