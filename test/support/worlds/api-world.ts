import { join } from 'node:path';
import { EventParser, type ServerEvent } from '../../../app/core/sse.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toBase64, toHex } from '../../../common/bytes.js';
import { Counters } from '../../../common/counters.js';
import { silentLog } from '../../../common/log.js';
import type { ApiContext } from '../../../cloud/api/context.js';
import type { FastifyInstance } from '../../../cloud/api/fastify.js';
import { Feed } from '../../../cloud/api/feed.js';
import type { ReaderDependencies } from '../../../cloud/api/read-gate.js';
import { Reader } from '../../../cloud/api/reader.js';
import { buildServer, type ServerSettings } from '../../../cloud/api/server.js';
import { Sessions } from '../../../cloud/api/sessions.js';
import { Ingest } from '../../../cloud/ingest/ingest.js';
import { Statements } from '../../../cloud/api/statements.js';
import { Bodies } from '../../../cloud/main/bodies.js';
import { Erasing } from '../../../cloud/main/erasing.js';
import type { Media } from '../../../cloud/media/kinds.js';
import type { Quota } from '../../../cloud/api/uploads.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import { sessionKind, type Session } from '../../../protocol/objects/session.js';
import { signObject } from '../../../protocol/objects/signed-object.js';
import { afterThisTest } from '../runner/after-test.js';
import { tempFolder } from '../runner/temp.js';
import { VirtualClock } from '../runner/virtual-clock.js';
import { LiveTopics } from './live-topics.js';
import { mediaIn, uploadsOf } from './test-media.js';

export const CLOUD = 'https://cloud.example';
export const PAGE = 'https://app.example';
export const KEEPS_FOR_MS = 30 * 86_400_000;
const CLIPS_FOR_MS = 7 * 86_400_000;
export const DELETION_DELAY_MS = 7 * 86_400_000;

type WorldOptions = Pick<ReaderDependencies, 'makerList'> & { readonly media?: Media; readonly quota?: Quota };

/** A client's side of one stream: the events that arrived. */
class OpenStream {
  readonly status: number;
  readonly events: ServerEvent[] = [];
  readonly ended: Promise<void>;
  isEnded = false;

  constructor(response: Response) {
    this.status = response.status;
    const reader = response.body?.getReader();
    const parser = new EventParser();
    const decoder = new TextDecoder();
    const readEvents = async (): Promise<void> => {
      for (;;) {
        const part = await reader?.read();
        if (part === undefined || part.done) return;
        this.events.push(...parser.push(decoder.decode(part.value, { stream: true })));
      }
    };
    this.ended = readEvents()
      .catch(() => undefined)
      .finally(() => (this.isEnded = true));
    afterThisTest(async () => {
      await reader?.cancel().catch(() => undefined);
    });
  }

  /** Names of the events, each with its seq if it has one. */
  get summaries(): string[] {
    return this.events.map(({ event, data }) => {
      const { seq } = JSON.parse(data) as { seq?: number };
      return seq === undefined ? event : `${event} ${String(seq)}`;
    });
  }
}

/** The events API on a fresh SQLite store, or on a given one, with requests injected instead of sent over a network. */
export class ApiWorld {
  readonly clock: VirtualClock;
  readonly counters: Counters;
  readonly receiptSigner: Signer;
  readonly sentDown: { device: Uint8Array; payload: Uint8Array }[];
  readonly store: CloudStore;
  readonly feed: Feed;
  readonly live: LiveTopics;
  readonly app: FastifyInstance;
  readonly media: Media;
  /** The clean-up timer's work, which a test calls itself. */
  readonly erasing: Erasing;
  readonly bodies: Bodies;

  private constructor(
    parts: Pick<
      ApiWorld,
      | 'clock'
      | 'counters'
      | 'receiptSigner'
      | 'sentDown'
      | 'store'
      | 'feed'
      | 'live'
      | 'app'
      | 'erasing'
      | 'media'
      | 'bodies'
    >,
  ) {
    this.clock = parts.clock;
    this.counters = parts.counters;
    this.receiptSigner = parts.receiptSigner;
    this.sentDown = parts.sentDown;
    this.store = parts.store;
    this.feed = parts.feed;
    this.live = parts.live;
    this.app = parts.app;
    this.erasing = parts.erasing;
    this.media = parts.media;
    this.bodies = parts.bodies;
  }

  static async open(
    wrap: (store: CloudStore) => CloudStore = (store) => store,
    { media: givenMedia, quota, ...more }: WorldOptions = {},
    store: CloudStore = openSqliteStore(join(tempFolder(), 'cloud.db')),
    server: Partial<ServerSettings> = {},
  ): Promise<ApiWorld> {
    const clock = new VirtualClock();
    const counters = new Counters();
    const receiptSigner = nodeSuite.ed25519Signer(realRandom.bytes(32));
    const sentDown: ApiWorld['sentDown'] = [];
    const common = { store: wrap(store), suite: nodeSuite, clock, counters, log: silentLog };
    const settings = { cloudOrigin: () => CLOUD, pageOrigins: [PAGE], lifetimeMs: 3_600_000 };
    const ingest = new Ingest({
      ...common,
      ...more,
      receiptSigner,
      publish: () => undefined,
      onStored: () => undefined,
      onStatus: () => undefined,
      pacing: () => null,
    });
    const media = givenMedia ?? mediaIn(clock);
    const reader = new Reader({ ...common, ...more, bodies: media.store });
    const live = new LiveTopics();
    const feed = new Feed((item) => reader.readersOf(item));
    const statements = new Statements({ ...common, reader });
    const receiptSigners = [receiptSigner];
    const context: ApiContext = {
      ...common,
      sessions: new Sessions(settings, nodeSuite, clock, realRandom),
      reader,
      statements,
      uploads: uploadsOf({ ...common, ...more, media, receiptSigner, ...(quota === undefined ? {} : { quota }) }),
      feed,
      push: null,
      live,
      keepsForMs: KEEPS_FOR_MS,
      deletionDelayMs: DELETION_DELAY_MS,
      receiptKeys: [receiptSigner.publicKey],
      receiptSigners,
      cloudOrigin: () => CLOUD,
      sendDown: (device, payload) => sentDown.push({ device, payload }),
      notReady: () => Promise.resolve(null),
      handInAccept: (...given) => ingest.handInAccept(...given),
    };
    const app = await buildServer(context, {
      host: '127.0.0.1',
      port: 0,
      pageOrigins: [PAGE],
      requestsPerMinute: 10_000,
      ...server,
    });
    const erasing = new Erasing({ ...common, reader, statements, receiptSigners, periodMs: KEEPS_FOR_MS });
    const bodies = new Bodies({ segments: store.segments, bodies: media.store, periodMs: CLIPS_FOR_MS });
    return new ApiWorld({ clock, counters, receiptSigner, sentDown, store, feed, live, app, erasing, media, bodies });
  }

  /** Opens a session for a key; `change` alters the fields that are signed. */
  async session(
    signer: Signer,
    change: Partial<Session> = {},
    headers: Record<string, string> = {},
    accepted: readonly Uint8Array[] = [],
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
    return this.answer(signed.bytes, headers, accepted);
  }

  async answer(
    signed: Uint8Array,
    headers: Record<string, string> = {},
    accepted: readonly Uint8Array[] = [],
  ): Promise<{ status: number; token: string }> {
    const response = await this.app.inject({
      method: 'POST',
      url: '/v1/session',
      headers,
      payload: { session: toBase64(signed), accepted: accepted.map(toHex) },
    });
    return { status: response.statusCode, token: response.json<{ token?: string }>().token ?? '' };
  }

  async get(url: string, token: string): Promise<{ status: number; body: unknown; raw: Buffer }> {
    const response = await this.app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } });
    const isJson = response.headers['content-type']?.toString().includes('application/json') === true;
    return { status: response.statusCode, body: isJson ? response.json() : null, raw: response.rawPayload };
  }

  /** Listens on a free port until the end of the test; returns the port. */
  async port(): Promise<number> {
    if (!this.app.server.listening) {
      await this.app.listen({ host: '127.0.0.1', port: 0 });
      afterThisTest(async () => {
        this.app.server.closeAllConnections();
        await this.app.close();
      });
    }
    const address = this.app.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Opens a stream over a real socket; it ends with the test. */
  async stream(token: string, lastId: number | null = null): Promise<OpenStream> {
    const port = await this.port();
    const resume = lastId === null ? {} : { 'last-event-id': String(lastId) };
    const response = await fetch(`http://127.0.0.1:${String(port)}/v1/stream`, {
      headers: { authorization: `Bearer ${token}`, ...resume },
    });
    return new OpenStream(response);
  }

  /** Sends a body as JSON; resolves with the status and the answer, null where it has no content. */
  async send(
    method: 'POST' | 'DELETE',
    url: string,
    token: string,
    payload: object,
  ): Promise<{ status: number; body: unknown }> {
    const headers = { authorization: `Bearer ${token}` };
    const response = await this.app.inject({ method, url, headers, payload });
    return { status: response.statusCode, body: response.payload === '' ? null : response.json() };
  }

  static recordsUrl(device: Uint8Array, epoch = 1): string {
    return `/v1/cameras/${toHex(device)}/${String(epoch)}/records`;
  }
}
