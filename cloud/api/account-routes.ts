import { Readable } from 'node:stream';
import { equal, toBase64, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { accountId } from '../../protocol/objects/ids.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import type { ClaimRow, ExportItem } from '../store/store.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance } from './fastify.js';
import type { ReadRecord } from './reader.js';
import { bytesOf, deleteAnswer, deleteBody } from './wire.js';

const security = [{ session: [] }];

/** An owner's rights over the data: export everything in one file, delete everything. */
export function accountRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, suite, clock, sessions, reader, log } = context;

  app.get(
    '/v1/account/export',
    {
      schema: {
        summary: 'Everything of your account as JSON lines; `sealcam verify FILE` checks it',
        security,
      },
    },
    async (request, reply) => {
      const { key } = sessions.of(request.headers.authorization);
      const account = accountId(suite, key);
      await reader.requireReadsOpen(key, account);
      const lines = exportLines(key, store.accounts.export(account));
      return reply
        .type('application/x-ndjson')
        .header('content-disposition', `attachment; filename="sealcam-${toHex(account)}.jsonl"`)
        .send(Readable.from(lines));
    },
  );

  app.delete<{ Body: { account: string } }>(
    '/v1/account',
    {
      schema: {
        summary: 'Delete all records and pictures of your account, and end its epochs',
        security,
        body: deleteBody,
        response: { 200: deleteAnswer },
      },
    },
    async (request) => {
      const { key } = sessions.of(request.headers.authorization);
      const account = accountId(suite, key);
      if (!equal(bytesOf(request.body.account, 16), account)) {
        throw new SealcamError('foreign', 'the confirmation names another account');
      }
      // The rows of an account that was deleted before hold no claim any longer.
      const rows = (await store.accounts.claims(account)).filter(({ claim }) => claim !== null);
      const own: ClaimRow[] = [];
      for (const row of rows) if (await reader.isOwner(key, row)) own.push(row);
      const records = await store.accounts.delete(own);
      const skipped = rows.length - own.length;
      log.warn({ account: toHex(account), records, skipped, atMs: clock.wallMs() }, 'an account was deleted');
      return { records };
    },
  );

  async function* exportLines(key: Uint8Array, items: AsyncIterable<ExportItem>): AsyncGenerator<string> {
    yield `${JSON.stringify({ type: 'export', version: 1, atMs: clock.wallMs() })}\n`;
    let row: ClaimRow | null = null;
    for await (const item of items) {
      await reader.requireReadsOpen(key);
      if (item.type === 'claim') {
        const isDeleted = item.row.claim === null;
        row = !isDeleted && (await reader.isOwner(key, item.row)) ? item.row : null;
        // Without a claim nothing proves whose epoch it was: only its state is shown, nothing of what it holds.
        if (isDeleted) yield `${JSON.stringify(claimOrAccessLine(item))}\n`;
      }
      if (row === null) continue;
      if (item.type === 'record') {
        // Like every other read: verified, bound to its row, and in the access log.
        const shown = await reader.exportRecord(key, row, item.record, item.media);
        if (shown !== null) yield `${JSON.stringify(recordLine(shown.read, shown.media))}\n`;
        continue;
      }
      if (item.type === 'access' && !(await reader.isOfRow(key, row, item.entry))) continue;
      yield `${JSON.stringify(claimOrAccessLine(item))}\n`;
    }
  }
}

type Exported<T extends ExportItem['type']> = Extract<ExportItem, { type: T }>;

function recordLine({ record, receivedAtMs }: ReadRecord, media: readonly (SealedObject | null)[]): object {
  return {
    type: 'record',
    record: toBase64(record.bytes),
    receivedAtMs,
    media: media.map((sealed) =>
      sealed === null ? null : { header: toBase64(sealed.header), body: toBase64(sealed.body) },
    ),
  };
}

function claimOrAccessLine(item: Exported<'claim'> | Exported<'access'>): object {
  if (item.type === 'claim') {
    return { type: 'claim', claim: toBase64(item.row.claim ?? new Uint8Array(0)), state: item.row.state };
  }
  const { reader, device, mediaId, ...rest } = item.entry;
  return {
    type: 'access',
    ...rest,
    reader: toHex(reader),
    device: toHex(device),
    mediaId: mediaId === null ? null : toHex(mediaId),
  };
}
