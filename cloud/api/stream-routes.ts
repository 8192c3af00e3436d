import { asSealcamError, isSealcamError } from '../../common/errors.js';
import type { ClaimRow, StoredRecord } from '../store/store.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance, FastifyReply } from './fastify.js';
import type { FeedItem } from './feed.js';
import { cameraJson } from './record-routes.js';
import { recordJson } from './wire.js';

const security = [{ session: [] }];
const PING_INTERVAL_MS = 15_000;
/** Missed records that a resumed stream sends; the page reads older ones by the page. */
const RESUME_RECORDS_MAX = 500;
/** Unsent bytes at which a stream whose reader is too slow is cut off. */
const BUFFER_MAX_BYTES = 1024 * 1024;

/** Live events as server-sent events. The page reads them with fetch: the token is in a header, not in a URL or a cookie. */
export function streamRoutes(app: FastifyInstance, context: ApiContext): void {
  const { sessions } = context;
  app.get<{ Querystring: { after?: string } }>(
    '/v1/stream',
    {
      schema: {
        summary: 'Live records and camera states as server-sent events; Last-Event-ID resumes',
        description:
          'Events: `ready`; `record` (an item of the records page); `camera` (an item of the cameras list); `notice` ' +
          '(the sentence for a member while cameras of another account are paused); `paused` (the error; the stream ends).',
        security,
      },
    },
    async (request, reply) => {
      const session = sessions.of(request.headers.authorization);
      const last = Number(request.headers['last-event-id'] ?? NaN);
      const resumeFrom = Number.isSafeInteger(last) && last >= 0 ? last : null;
      // Checked before the stream starts, while an error can still be an HTTP answer.
      await context.reader.requireReadsOpen(session.key);
      // A store that was restored from a back-up numbers again from an earlier id; what it stores from now on must arrive.
      const newestId = await context.store.records.lastId();
      const startId = Math.min(resumeFrom ?? newestId, newestId);
      reply.hijack();
      const stream = new EventStream(reply, context, startId);
      await stream.run(session.key, startId, () => {
        sessions.of(request.headers.authorization);
      });
    },
  );
}

/** One open stream. Its steps run one after the other. */
class EventStream {
  private readonly reply: FastifyReply;
  private readonly context: ApiContext;
  private work: Promise<void> = Promise.resolve();
  private sentId: number;
  private notice: string | null = null;
  private isOver = false;

  constructor(reply: FastifyReply, context: ApiContext, startId: number) {
    this.reply = reply;
    this.context = context;
    this.sentId = startId;
  }

  /** Runs until the reader disconnects or its session ends. */
  async run(key: Uint8Array, lastId: number, checkSession: () => void): Promise<void> {
    const { feed, clock, counters } = this.context;
    const { raw } = this.reply;
    raw.writeHead(200, {
      // Fastify set its own headers, CORS among them, before the reply was hijacked.
      ...(this.reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    if (raw.destroyed) return;
    counters.add('streams.opened');
    const unsubscribe = feed.subscribe((item) => {
      this.enqueue(() => this.sendItem(key, item, checkSession));
    });
    // For a new stream too: records may have arrived since its start was read.
    this.enqueue(() => this.resume(key, lastId));
    this.send('ready', null, {});
    this.enqueue(() => this.checkAccess(key, checkSession));
    let cancelPing = (): void => undefined;
    const ping = (): void => {
      cancelPing = clock.after(PING_INTERVAL_MS, () => {
        if (this.isOver) return;
        raw.write(': ping\n\n');
        this.enqueue(() => this.checkAccess(key, checkSession));
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

  /** Runs `work` after all earlier work. An error ends the stream, and the reader reconnects. */
  private enqueue(work: () => Promise<void>): void {
    this.work = this.work
      .then(() => (this.isOver ? undefined : work()))
      .catch((error: unknown) => {
        const { code, message, hint } = asSealcamError(error);
        if (code !== 'reads-paused') {
          this.cut(code);
          return;
        }
        this.send('paused', null, { code, message, hint });
        this.context.counters.add('streams.paused');
        this.isOver = true;
        this.reply.raw.end();
      });
  }

  /** Checks, also while nothing arrives, that the session still runs and reading is not paused, and sends new notices. */
  private async checkAccess(key: Uint8Array, checkSession: () => void): Promise<void> {
    const { reader } = this.context;
    checkSession();
    await reader.requireReadsOpen(key);
    const notice = await reader.pauseNotice(key);
    if (notice === this.notice) return;
    this.notice = notice;
    this.send('notice', null, { notice });
  }

  private async resume(key: Uint8Array, lastId: number): Promise<void> {
    const { reader, store } = this.context;
    const rows = await reader.readableEpochs(key);
    const missed = await store.records.since(lastId, rows, RESUME_RECORDS_MAX);
    for (const stored of missed) await this.sendRecord(key, stored);
  }

  private async sendRecord(key: Uint8Array, stored: StoredRecord): Promise<void> {
    const { reader } = this.context;
    // Looked up for every record: a session shows what its key may read now, not what it could when it was opened.
    const row = await this.rowOrNull(key, stored.device, stored.epoch);
    if (row === null) return;
    for (const read of await reader.showRecords(key, row, [stored], 'stream'))
      this.send('record', read.id, recordJson(read));
  }

  /** Most items of the feed belong to other accounts; for those this returns null and does not throw. */
  private async rowOrNull(key: Uint8Array, device: Uint8Array, epoch: number): Promise<ClaimRow | null> {
    try {
      return await this.context.reader.rowFor(key, device, epoch);
    } catch (error) {
      // A pause of the reader's own account was checked before; one of the camera's account is sent as a notice.
      if (isSealcamError(error) && ['not-found', 'reads-paused'].includes(error.code)) return null;
      throw error;
    }
  }

  private async sendItem(key: Uint8Array, item: FeedItem, checkSession: () => void): Promise<void> {
    const { claims, records } = this.context.store;
    checkSession();
    await this.context.reader.requireReadsOpen(key);
    if (item.type === 'camera') {
      const latest = await claims.latest(item.device);
      const row = latest === undefined ? null : await this.rowOrNull(key, item.device, latest.epoch);
      if (row !== null) this.send('camera', null, await cameraJson(this.context, key, row, 'stream'));
      return;
    }
    if (!(await claims.isMember(item.device, item.epoch, key))) return;
    const stored = await records.get(item.device, item.epoch, item.seq);
    if (stored !== undefined && stored.id > this.sentId) await this.sendRecord(key, stored);
  }

  /** Writes one event, unless the stream is over. */
  private send(event: string, id: number | null, data: unknown): void {
    const { raw } = this.reply;
    if (this.isOver) return;
    if (raw.writableLength > BUFFER_MAX_BYTES) {
      this.cut('rate-limited');
      return;
    }
    if (id !== null) this.sentId = Math.max(this.sentId, id);
    raw.write(`event: ${event}\n${id === null ? '' : `id: ${String(id)}\n`}data: ${JSON.stringify(data)}\n\n`);
  }

  private cut(code: string): void {
    this.isOver = true;
    this.context.counters.add(`streams.${code}`);
    this.reply.raw.destroy();
  }
}
