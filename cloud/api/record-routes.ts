import { toBase64, toHex } from '../../common/bytes.js';
import { isSealcamError } from '../../common/errors.js';
import * as v from '../../common/schema.js';
import { encodeCbor } from '../../protocol/wire/cbor.js';
import type { AccessEntry, ClaimRow } from '../store/store.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance } from './fastify.js';
import type { Session } from './sessions.js';
import type { cameraItem, firstAnswer } from './wire.js';
import {
  accessAnswer,
  accessJson,
  base64List,
  bytesOf,
  camerasAnswer,
  described,
  epoch,
  hexOf,
  integerInText,
  periodAnswer,
  recordJson,
  recordsAnswer,
} from './wire.js';

const security = [{ session: [] }];
const PAGE_RECORDS_MAX = 200;
const ACCESS_LINES_MAX = 500;
/** Epochs of which a first page holds records; those of the rest are asked for. */
const FIRST_PAGES_MAX = 16;

const pageQuery = v.object({
  before: v.optional(described(integerInText(0), 'only records with a lower seq'), Number.MAX_SAFE_INTEGER),
  limit: v.optional(integerInText(1, PAGE_RECORDS_MAX), 50),
});

/** What an owner's page reads: cameras, records, sealed pictures, the access log. */
export function recordRoutes(app: FastifyInstance, context: ApiContext): void {
  const { sessions, reader, statements } = context;

  app.get(
    '/v1/cameras',
    { schema: { summary: 'Cameras and epochs that you may read', security, response: { 200: camerasAnswer } } },
    async (request) => {
      const session = sessions.of(request.headers.authorization);
      const rows = await reader.readableEpochs(session);
      const itemOf = (row: ClaimRow): Promise<CameraJson> =>
        reader.isInvitation(session, row)
          ? Promise.resolve(invitationJson(row))
          : cameraJson(context, session.key, row, 'records');
      return { cameras: await Promise.all(rows.map(itemOf)) };
    },
  );

  app.get<{ Params: { device: string; epoch: number }; Querystring: { before: number; limit: number } }>(
    '/v1/cameras/:device/:epoch/records',
    {
      schema: {
        summary: 'Records, newest first, each verified by this read',
        security,
        params: v.object({ device: hexOf(32), epoch }),
        querystring: pageQuery,
        response: { 200: recordsAnswer },
      },
    },
    async ({ headers, params, query }) => {
      const { key } = sessions.of(headers.authorization);
      const device = bytesOf(params.device, 32);
      let row: ClaimRow;
      try {
        row = await reader.rowFor(key, device, params.epoch);
      } catch (error) {
        const isGone = isSealcamError(error) && error.code === 'not-found';
        const gone = isGone ? await statements.ofGoneEpoch(key, device, params.epoch) : null;
        if (gone === null) throw error;
        return { records: [], lowestSeq: null, highestSeq: null, floor: null, deletions: gone.map(toBase64) };
      }
      return pageJson(context, key, row, query.before, query.limit);
    },
  );

  app.get<{ Params: { device: string; epoch: number; id: string } }>(
    '/v1/cameras/:device/:epoch/media/:id',
    {
      schema: {
        summary: 'A sealed object as CBOR [header, body]; only its recipients can open it',
        security,
        params: v.object({ device: hexOf(32), epoch, id: hexOf(16) }),
      },
    },
    async ({ headers, params }, reply) => {
      const { key } = sessions.of(headers.authorization);
      const row = await reader.rowFor(key, bytesOf(params.device, 32), params.epoch);
      const { header, body } = await reader.media(key, row, bytesOf(params.id, 16));
      return reply.type('application/cbor').send(Buffer.from(encodeCbor([header, body])));
    },
  );

  app.get<{ Params: { device: string; epoch: number; period: string } }>(
    '/v1/devices/:device/epochs/:epoch/periods/:period',
    {
      schema: {
        summary: 'The key record of a period, which everything that was sealed in it needs',
        security,
        params: v.object({ device: hexOf(32), epoch, period: hexOf(16) }),
        response: { 200: periodAnswer },
      },
    },
    async ({ headers, params }) => {
      const { key } = sessions.of(headers.authorization);
      const row = await reader.rowFor(key, bytesOf(params.device, 32), params.epoch);
      const { read, body } = await reader.keyRecord(key, row, bytesOf(params.period, 16));
      return { record: recordJson(read), body: toBase64(body) };
    },
  );

  app.get(
    '/v1/access',
    {
      schema: {
        summary: 'Who was shown what of your cameras, newest first',
        security,
        response: { 200: accessAnswer },
      },
    },
    async (request) => {
      const session = sessions.of(request.headers.authorization);
      const entries = await reader.accessLog(session, ACCESS_LINES_MAX);
      return {
        archivedBeforeMs: await context.store.access.archivedUntilMs(),
        entries: entries.map(accessJson),
      };
    },
  );
}

type CameraJson = v.InferOutput<typeof cameraItem>;
type PageJson = v.InferOutput<typeof recordsAnswer>;

/** Returns up to `limit` records with a seq below `before`, newest first, and the statements that explain what is missing. */
async function pageJson(
  { store, reader, statements }: ApiContext,
  key: Uint8Array,
  row: ClaimRow,
  before: number,
  limit: number,
): Promise<PageJson> {
  // Statements after the records: what is deleted in between leaves no hole without its statement.
  const records = await reader.page(key, row, before, limit);
  const floor = await statements.floorOf(row);
  const deletions = await statements.deletionsOf(row);
  const bounds = await store.records.bounds(row.device, row.epoch);
  return {
    records: records.map(recordJson),
    lowestSeq: bounds?.lowest ?? null,
    highestSeq: bounds?.highest ?? null,
    floor: floor === null ? null : toBase64(floor),
    deletions: deletions.map(toBase64),
  };
}

/**
 * Returns what a page shows first: the list of cameras, with the newest records of each, as the requests for them would
 * answer one after the other.
 */
export async function firstPage(
  context: ApiContext,
  session: Session,
  limit: number,
): Promise<v.InferOutput<typeof firstAnswer>> {
  const { store, reader, statements } = context;
  const { key } = session;
  // In this order: whatever another browser verified before, and whatever was stored before this number, is in the rest.
  const heads = (await statements.headsFor(session)).map(toBase64);
  const newestId = await store.records.lastId();
  const rows = await reader.readableEpochs(session);
  const readable = rows.filter((row) => !reader.isInvitation(session, row)).slice(-FIRST_PAGES_MAX);
  const itemOf = async (row: ClaimRow): Promise<v.InferOutput<typeof firstAnswer>['cameras'][number]> => {
    if (reader.isInvitation(session, row)) return { camera: invitationJson(row), page: null };
    const camera = await cameraJson(context, key, row, 'records');
    const page = readable.includes(row) ? await pageJson(context, key, row, Number.MAX_SAFE_INTEGER, limit) : null;
    return { camera, page };
  };
  return { newestId, heads, cameras: await Promise.all(rows.map(itemOf)) };
}

/** Returns what a list holds of an epoch whose household the reader has not accepted: its claim. */
function invitationJson(row: ClaimRow): CameraJson {
  return {
    device: toHex(row.device),
    epoch: row.epoch,
    account: toHex(row.account),
    claim: toBase64(row.claim ?? new Uint8Array(0)),
    kemKeys: null,
    state: row.state === 'open' ? 'open' : 'closed',
    online: null,
    lastReceivedAtMs: null,
    incomplete: false,
    highestSeq: null,
    health: null,
  };
}

/** Returns a camera's epoch as the API shows it. */
export async function cameraJson(
  { store, reader }: ApiContext,
  key: Uint8Array,
  row: ClaimRow,
  what: AccessEntry['what'],
): Promise<CameraJson> {
  const [status, bounds, health, kemKeys] = await Promise.all([
    store.records.status(row.device),
    store.records.bounds(row.device, row.epoch),
    reader.health(key, row, what),
    row.state === 'open' ? reader.kemKeys(key, row) : null,
  ]);
  const lastReceivedAtMs = bounds?.lastReceivedAtMs ?? null;
  return {
    ...invitationJson(row),
    kemKeys: base64List(kemKeys),
    online: status?.online ?? null,
    lastReceivedAtMs,
    incomplete: lastReceivedAtMs !== null && reader.isIncomplete(lastReceivedAtMs, row),
    highestSeq: bounds?.highest ?? null,
    health: health === null ? null : toBase64(health.record.bytes),
  };
}
