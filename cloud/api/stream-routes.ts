import { equal, toHex } from '../../common/bytes.js';
import { asSealcamError, isSealcamError } from '../../common/errors.js';
import type { ClaimRow, StoredRecord } from '../store/store.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance, FastifyReply } from './fastify.js';
import type { FeedItem } from './feed.js';
import { cameraJson } from './record-routes.js';
import type { Session } from './sessions.js';
import { addressShare } from '../../common/adapters/address-share.js';
import { Share, acquireAll, type HttpLimits } from './shares.js';
import { recordJson } from './wire.js';

const security = [{ session: [] }];
const PING_INTERVAL_MS = 15_000;
/** Missed records that a resumed stream sends; the page reads older ones by the page. */
const RESUME_RECORDS_MAX = 500;
/** Of one epoch, with one look at its claim and one line of the access log. */
const RUN_RECORDS_MAX = 50;
/** Unsent bytes at which a stream whose reader is too slow is cut off. */
const BUFFER_MAX_BYTES = 1024 * 1024;

/** Live events as server-sent events. The page reads them with fetch: the token is in a header, not in a URL or a cookie. */
export function streamRoutes(app: FastifyInstance, context: ApiContext, limits: HttpLimits): void {
  const { sessions, counters } = context;
  const perKey = new Share('streams-per-key', limits.streamsPerKey, counters);
  const perAddress = new Share('streams-per-address', limits.streamsPerAddress, counters);
  const ofStrangers = new Share('streams-of-strangers', limits.strangerStreamsMax, counters);
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
      const isStranger = (await context.store.claims.readableBy(session.key, session.household)).length === 0;
      const release = acquireAll([
        { share: perKey, holder: toHex(session.key) },
        { share: perAddress, holder: addressShare(request.ip) },
        ...(isStranger ? [{ share: ofStrangers, holder: 'strangers' }] : []),
      ]);
      try {
        // Checked before the stream starts, while an error can still be an HTTP answer.
        await context.reader.requireReadsOpen(session.key);
        // A store that was restored from a back-up numbers again from an earlier id; what it stores from now on must arrive.
        const newestId = await context.store.records.lastId();
        const startId = Math.min(resumeFrom ?? newestId, newestId);
        reply.hijack();
        const stream = new EventStream(reply, context, startId);
        await stream.run(session, startId, () => {
          sessions.of(request.headers.authorization);
        });
      } finally {
        release();
      }
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
  async run(session: Session, lastId: number, checkSession: () => void): Promise<void> {
    const { feed, clock, counters } = this.context;
    const { key } = session;
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
    const unsubscribe = feed.subscribe(key, {
      onItem: (item) => {
        this.enqueue(() => this.sendItem(key, item, checkSession));
      },
      onLost: () => {
        this.cut('store-unavailable');
      },
    });
    // For a new stream too: records may have arrived since its start was read.
    this.enqueue(() => this.resume(session, lastId));
    this.send('ready', null, {});
    this.enqueue(() => this.checkAccess(session, checkSession));
    let cancelPing = (): void => undefined;
    const ping = (): void => {
      cancelPing = clock.after(PING_INTERVAL_MS, () => {
        if (this.isOver) return;
        raw.write(': ping\n\n');
        this.enqueue(() => this.checkAccess(session, checkSession));
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
  private async checkAccess(session: Session, checkSession: () => void): Promise<void> {
    const { reader } = this.context;
    checkSession();
    await reader.requireReadsOpen(session.key);
    const notice = await reader.pauseNotice(session);
    if (notice === this.notice) return;
    this.notice = notice;
    this.send('notice', null, { notice });
  }

  private async resume(session: Session, lastId: number): Promise<void> {
    const { reader, store } = this.context;
    const rows = await reader.readableEpochs(session);
    const missed = await store.records.since(lastId, rows, RESUME_RECORDS_MAX);
    for (const run of runsOf(missed)) await this.sendRecords(session.key, run);
  }

  /** Sends records of one epoch, with one line of the access log for all of them. */
  private async sendRecords(key: Uint8Array, run: readonly StoredRecord[]): Promise<void> {
    const { reader } = this.context;
    const [first] = run;
    if (first === undefined) return;
    // Looked up for every run: a session shows what its key may read now, not what it could when it was opened.
    const row = await this.rowOrNull(key, first.device, first.epoch);
    if (row === null) return;
    for (const read of await reader.showRecords(key, row, run, 'stream'))
      this.send('record', read.id, recordJson(read));
  }

  /** What this reader may not see, or not any longer, is null and no error. */
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
    const stored = await records.get(item.device, item.epoch, item.seq);
    if (stored !== undefined && stored.id > this.sentId) await this.sendRecords(key, [stored]);
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

/** Splits records, in their order, where the epoch changes and after a number of them. */
function runsOf(records: readonly StoredRecord[]): readonly (readonly StoredRecord[])[] {
  const runs: StoredRecord[][] = [];
  for (const record of records) {
    const last = runs.at(-1);
    const isSame = last?.[0] !== undefined && equal(last[0].device, record.device) && last[0].epoch === record.epoch;
    if (isSame && last.length < RUN_RECORDS_MAX) last.push(record);
    else runs.push([record]);
  }
  return runs;
}
