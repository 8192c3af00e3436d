import type { IncomingMessage } from 'node:http';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import * as v from '../../common/schema.js';
import type { SegmentKey } from '../store/store.js';
import { partOf } from './byte-range.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance } from './fastify.js';
import { bytesOf, epoch, hexOf } from './wire.js';

/** The path of a body. It is the key under which the body lies. */
const PATH = '/v1/media/:device/:epoch/:hash';
const security = [{ session: [] }];
const params = v.object({ device: hexOf(32), epoch, hash: hexOf(32) });

interface Params {
  readonly device: string;
  readonly epoch: number;
  readonly hash: string;
}

function keyOf({ device, epoch: number, hash }: Params): SegmentKey {
  return { device: bytesOf(device, 32), epoch: number, bodyHash: bytesOf(hash, 32) };
}

/** Bodies of clips' segments: cameras bring them, readers of the epoch fetch them. Nothing here ever redirects. */
export async function mediaRoutes(app: FastifyInstance, context: ApiContext): Promise<void> {
  const { sessions, reader, uploads } = context;

  app.get<{ Params: Params }>(
    PATH,
    {
      schema: {
        summary: 'The sealed body of a segment, or a range of its bytes; only its recipients can open it',
        security,
        params,
      },
    },
    async ({ headers, params: asked }, reply) => {
      const { key: reading } = sessions.of(headers.authorization);
      const key = keyOf(asked);
      const row = await reader.rowFor(reading, key.device, key.epoch);
      const body = await reader.segment(reading, row, key);
      const part = partOf(headers.range, body.length);
      reply.type('application/octet-stream').header('accept-ranges', 'bytes');
      if (part === null) return reply.send(Buffer.from(body));
      const { from, end } = part;
      return reply
        .status(206)
        .header('content-range', `bytes ${String(from)}-${String(end - 1)}/${String(body.length)}`)
        .send(Buffer.from(body.subarray(from, end)));
    },
  );

  const expecting = new WeakSet<IncomingMessage>();
  // A camera that asks first gets leave to go on only once the body is wanted.
  app.server.on('checkContinue', (request: IncomingMessage, response) => {
    if (request.method === 'PUT' && request.url?.startsWith('/v1/media/') === true) expecting.add(request);
    else response.writeContinue();
    app.server.emit('request', request, response);
  });

  await app.register(async (bodies) => {
    // The body is not read before it is wanted, and never held in memory.
    bodies.removeAllContentTypeParsers();
    bodies.addContentTypeParser('*', (_request, _body, done) => {
      done(null);
    });
    bodies.put<{ Params: Params }>(
      PATH,
      {
        schema: {
          summary: 'Bring the sealed body of a segment that a clip record names; answers with a signed media receipt',
          description:
            'Without a credential: the hash is known to who may know it. Needs Content-Length; `Expect: 100-continue` spares the ' +
            'body where it is not wanted. Only the signed receipt counts, never the status.',
          params,
        },
      },
      async ({ raw, headers, ip, params: asked }, reply) => {
        // What was not read must not be taken for the next request.
        const closeUnlessRead = (): void => {
          if (!raw.complete) reply.header('connection', 'close');
        };
        try {
          const receipt = await uploads.receive({
            key: keyOf(asked),
            length: lengthOf(headers),
            address: ip,
            body: raw,
            proceed: () => {
              if (expecting.has(raw)) reply.raw.writeContinue();
            },
          });
          closeUnlessRead();
          return await reply.type('application/cose').send(Buffer.from(receipt));
        } catch (error) {
          closeUnlessRead();
          throw error;
        }
      },
    );
    await Promise.resolve();
  });
}

/** @throws SealcamError `length-required`, `too-large` */
function lengthOf(headers: Readonly<Record<string, unknown>>): number {
  const { 'content-length': text, 'transfer-encoding': coding } = headers;
  const length = typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : null;
  if (length === null || coding !== undefined) throw new SealcamError('length-required', 'a body without its length');
  if (length > LIMITS.segmentSealedMaxBytes) {
    throw new SealcamError('too-large', `a body over ${String(LIMITS.segmentSealedMaxBytes)} bytes`);
  }
  return length;
}
