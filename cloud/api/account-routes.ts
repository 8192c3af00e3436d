import { Readable } from 'node:stream';
import { equal, toBase64, toHex } from '../../common/bytes.js';
import { accountId } from '../../protocol/objects/ids.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import type { ClaimRow, ExportItem } from '../store/store.js';
import { ReceiptSigners } from '../trust/receipt-signers.js';
import type { ApiContext } from './context.js';
import { ExportedReceipts } from './exported-receipts.js';
import type { FastifyInstance } from './fastify.js';
import { HouseholdReader } from './household-reader.js';
import type { ReadRecord } from './reader.js';
import { accessJson, base64List } from './wire.js';

const security = [{ session: [] }];

/** An owner's right to the data: everything in one file. deletion-routes.ts has the right to delete it. */
export function accountRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, suite, clock, sessions, reader, receiptSigners } = context;
  const signers = new ReceiptSigners(suite, receiptSigners);
  const households = new HouseholdReader(context);

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

  async function* exportLines(key: Uint8Array, items: AsyncIterable<ExportItem>): AsyncGenerator<string> {
    const startedAtMs = clock.wallMs();
    const accessArchivedBeforeMs = await store.access.archivedUntilMs();
    yield `${JSON.stringify({ type: 'export', version: 1, atMs: startedAtMs, accessArchivedBeforeMs })}\n`;
    const receipts = new ExportedReceipts({ store, suite, signers });
    let row: ClaimRow | null = null;
    let range: { readonly from: number; readonly to: number } | null = null;
    for await (const item of items) {
      await reader.requireReadsOpen(key);
      if (item.type === 'claim') {
        const isDeleted = item.row.claim === null;
        row = !isDeleted && (await reader.isOwner(key, item.row)) ? item.row : null;
        range = row === null ? null : await reader.startExport(key, row);
        // Without a claim nothing proves whose epoch it was: only its state is shown, nothing of what it holds.
        if (isDeleted) yield `${JSON.stringify(claimOrAccessLine(item))}\n`;
      }
      if (row === null) continue;
      if (item.type === 'record') {
        // Like every other read: verified, bound to its row, and in the access log, which names no record that arrived since.
        if (range === null) continue;
        const shown = await reader.exportRecord(key, row, { stored: item.record, media: item.media, range });
        if (shown === null) continue;
        yield `${JSON.stringify(recordLine(shown.read, shown.media))}\n`;
        yield* receiptLines(await receipts.add(row, shown.read, shown.media));
        for await (const body of reader.exportSegments(key, row, shown.read)) {
          yield `${JSON.stringify({ type: 'segment', body: toBase64(body) })}\n`;
        }
        continue;
      }
      if (item.type === 'access') {
        // The export's own line, which stands in the log from now on.
        const { what, atMs, reader: who } = item.entry;
        if (what === 'export' && atMs >= startedAtMs && equal(who, key)) continue;
        if (!(await reader.isOfRow(key, row, item.entry))) continue;
      }
      const kemKeys = item.type === 'claim' ? await reader.kemKeys(key, row) : null;
      yield `${JSON.stringify(claimOrAccessLine(item, kemKeys))}\n`;
    }
    yield* receiptLines(receipts.finish());
    for (const settings of await households.storedOf(accountId(suite, key))) {
      yield `${JSON.stringify({ type: 'settings', settings: toBase64(settings) })}\n`;
    }
  }
}

function receiptLines(receipt: Uint8Array | null): readonly string[] {
  return receipt === null ? [] : [`${JSON.stringify({ type: 'receipt', receipt: toBase64(receipt) })}\n`];
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

function claimOrAccessLine(
  item: Exported<'claim'> | Exported<'access'>,
  kemKeys: readonly (Uint8Array | null)[] | null = null,
): object {
  if (item.type === 'claim') {
    const claim = { type: 'claim', claim: toBase64(item.row.claim ?? new Uint8Array(0)), state: item.row.state };
    return kemKeys === null ? claim : { ...claim, kemKeys: base64List(kemKeys) };
  }
  return { type: 'access', ...accessJson(item.entry) };
}
