import { toBase64 } from '../../common/bytes.js';
import * as v from '../../common/schema.js';
import { ReceiptSigners } from '../trust/receipt-signers.js';
import type { ApiContext } from './context.js';
import { ExportedReceipts } from './exported-receipts.js';
import type { FastifyInstance } from './fastify.js';
import { bytesOf, described, epoch, hexOf, integerInText, receiptsAnswer } from './wire.js';

const RECORDS_MAX = 200;

const rangeQuery = v.object({
  from: v.optional(described(integerInText(0), 'lowest seq'), 0),
  limit: v.optional(described(integerInText(1, RECORDS_MAX), 'how many, this one and those that follow it'), 50),
});

/** Receipts for those who make evidence: that this cloud holds the records which it shows. */
export function receiptRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, suite, sessions, reader, receiptSigners } = context;
  const signers = new ReceiptSigners(suite, receiptSigners);

  app.get<{ Params: { device: string; epoch: number }; Querystring: { from: number; limit: number } }>(
    '/v1/cameras/:device/:epoch/receipts',
    {
      schema: {
        summary: 'Signed receipts for the records of a range that are stored whole, for evidence',
        security: [{ session: [] }],
        params: v.object({ device: hexOf(32), epoch }),
        querystring: rangeQuery,
        response: { 200: receiptsAnswer },
      },
    },
    async ({ headers, params, query: { from, limit } }) => {
      const { key } = sessions.of(headers.authorization);
      const row = await reader.rowFor(key, bytesOf(params.device, 32), params.epoch);
      const receipts = new ExportedReceipts({ store, suite, signers });
      const signed: (Uint8Array | null)[] = [];
      for (const read of await reader.page(key, row, from + limit, limit)) {
        if (read.record.value.seq < from) continue;
        const stored = async (id: Uint8Array) => (await store.records.media(row.device, row.epoch, id))?.sealed;
        signed.push(await receipts.add(row, read, await reader.objectsOf(key, row, read, stored)));
      }
      signed.push(receipts.finish());
      return { receipts: signed.flatMap((receipt) => (receipt === null ? [] : [toBase64(receipt)])) };
    },
  );
}
