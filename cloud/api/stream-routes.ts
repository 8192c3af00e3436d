import type { FastifyInstance, FastifyReply } from './fastify.js';
import { asSealcamError } from '../../common/errors.js';
import type { ApiContext } from './context.js';
import type { FeedItem } from './feed.js';
import { cameraJson } from './record-routes.js';
import { recordJson } from './wire.js';

const security = [{ session: [] }];
const PING_MS = 15_000;
/** A stream that resumes gets at most so many records it missed; the page then reads pages. */
const RESUME_MAX = 500;
/** What a reader that does not read may pile up before it is cut off. */
const BUFFER_MAX_BYTES = 1024 * 1024;

/** Server-sent events through fetch, with the token in a header: never in a URL or a cookie. */
export function streamRoutes(app: FastifyInstance, context: ApiContext): void {
  const { sessions } = context;
  app.get<{ Querystring: { after?: string } }>(
    '/v1/stream',
    {
      schema: {
        summary: 'Live records and camera states as server-sent events; Last-Event-ID resumes',
        description: 'Events: `record` (an item of the records page), `camera` (an item of the cameras list), `ready`.',
        security,
      },
    },
    async (request, reply) => {
      const session = sessions.of(request.headers.authorization);
      const last = Number(request.headers['last-event-id'] ?? NaN);
      reply.hijack();
      const stream = new EventStream(reply, context);
      await stream.run(session.key, Number.isSafeInteger(last) && last >= 0 ? last : null, () => {
        sessions.of(request.headers.authorization);
      });
    },
  );
}

class EventStream {
  private readonly reply: FastifyReply;
  private readonly context: ApiContext;
  private work: Promise<void> = Promise.resolve();
  private sentId = 0;

  constructor(reply: FastifyReply, context: ApiContext) {
    this.reply = reply;
    this.context = context;
  }

  /** Runs until the reader goes or its session ends. */
  async run(key: Uint8Array, lastId: number | null, checkSession: () => void): Promise<void> {
    const { feed, clock, store, counters } = this.context;
    const { raw } = this.reply;
    raw.writeHead(200, {
      // Fastify's own headers (CORS among them) were set before the reply was taken over.
      ...(this.reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    counters.add('streams.opened');
    const unsubscribe = feed.subscribe((item) => {
      this.work = this.work
        .then(() => this.item(key, item, checkSession))
        .catch((error: unknown) => {
          this.cut(asSealcamError(error).code);
        });
    });
    this.sentId = lastId ?? (await store.records.lastId());
    if (lastId !== null) this.work = this.work.then(() => this.resume(key, lastId));
    this.send('ready', null, {});
    let cancelPing = (): void => undefined;
    const ping = (): void => {
      cancelPing = clock.after(PING_MS, () => {
        raw.write(': ping\n\n');
        ping();
      });
    };
    ping();
    await new Promise<void>((resolve) => {
      raw.once('close', () => {
        resolve();
      });
    });
    cancelPing();
    unsubscribe();
    counters.add('streams.closed');
  }

  private async resume(key: Uint8Array, lastId: number): Promise<void> {
    const { reader, store } = this.context;
    const rows = await reader.epochs(key);
    const missed = await store.records.since(lastId, rows, RESUME_MAX);
    for (const stored of missed) {
      const row = await reader.rowFor(key, stored.device, stored.epoch);
      for (const read of await reader.show(key, row, [stored], 'stream'))
        this.send('record', read.id, recordJson(read));
    }
  }

  private async item(key: Uint8Array, item: FeedItem, checkSession: () => void): Promise<void> {
    const { reader, store } = this.context;
    const { claims, records } = store;
    checkSession();
    if (item.type === 'camera') {
      const latest = await claims.latest(item.device);
      if (latest === undefined || !(await claims.isMember(item.device, latest.epoch, key))) return;
      if (!(await reader.mayRead(key, latest))) return;
      this.send('camera', null, await cameraJson(this.context, latest));
      return;
    }
    // Asked anew for every record: a session shows what its key may read now, not what it might when it was opened.
    if (!(await claims.isMember(item.device, item.epoch, key))) return;
    const row = await reader.rowFor(key, item.device, item.epoch);
    const stored = await records.get(item.device, item.epoch, item.seq);
    if (stored === undefined || stored.id <= this.sentId) return;
    for (const read of await reader.show(key, row, [stored], 'stream')) this.send('record', read.id, recordJson(read));
  }

  private send(event: string, id: number | null, data: unknown): void {
    const { raw } = this.reply;
    if (raw.writableLength > BUFFER_MAX_BYTES) {
      this.cut('rate-limited');
      return;
    }
    if (id !== null) this.sentId = Math.max(this.sentId, id);
    raw.write(`event: ${event}\n${id === null ? '' : `id: ${String(id)}\n`}data: ${JSON.stringify(data)}\n\n`);
  }

  private cut(code: string): void {
    this.context.counters.add(`streams.${code}`);
    this.reply.raw.destroy();
  }
}
