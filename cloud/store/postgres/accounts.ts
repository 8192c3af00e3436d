import type { SealedObject } from '../../../protocol/seal/seal.js';
import type { AccountStore } from '../store.js';
import {
  accessEntry,
  claimRow,
  storedRecord,
  type AccessColumns,
  type ClaimColumns,
  type RecordColumns,
} from '../rows.js';
import type { Database } from './database.js';
import { RECORD } from './records.js';

const EXPORT_PAGE = 200;
const OF_ACCOUNT = 'SELECT * FROM claim WHERE account = $1 ORDER BY device, epoch';

export function postgresAccounts(database: Database): AccountStore {
  async function* exported(account: Uint8Array): ReturnType<AccountStore['export']> {
    for (const row of (await database.rows<ClaimColumns>(OF_ACCOUNT, [account])).map(claimRow)) {
      yield { type: 'claim', row };
      const { device, epoch } = row;
      for (let seq = -1, isMore = true; isMore;) {
        const page = await database.rows<RecordColumns>(
          `${RECORD} WHERE k.device = $1 AND k.epoch = $2 AND k.seq > $3 ORDER BY k.seq LIMIT $4`,
          [device, epoch, seq, EXPORT_PAGE],
        );
        for (const record of page.map(storedRecord)) {
          seq = record.seq;
          const media = await database.rows<SealedObject & { readonly media_id: Uint8Array }>(
            `SELECT media_id, b.header, b.body
             FROM media_key AS k JOIN media_body AS b USING (device, epoch, media_id, day)
             WHERE k.device = $1 AND k.epoch = $2 AND k.seq = $3 ORDER BY media_id`,
            [device, epoch, seq],
          );
          yield {
            type: 'record',
            record,
            media: media.map(({ media_id: id, header, body }) => ({ id, sealed: { header, body } })),
          };
        }
        isMore = page.length === EXPORT_PAGE;
      }
      for (let id = 0, isMore = true; isMore;) {
        const page = await database.rows<AccessColumns>(
          'SELECT * FROM access WHERE device = $1 AND epoch = $2 AND id > $3 ORDER BY id LIMIT $4',
          [device, epoch, id, EXPORT_PAGE],
        );
        for (const line of page) {
          id = line.id;
          yield { type: 'access', entry: accessEntry(line) };
        }
        isMore = page.length === EXPORT_PAGE;
      }
    }
  }

  return {
    export: exported,
    delete: (account) =>
      database.transaction('SERIALIZABLE', async (session) => {
        let deleted = 0;
        for (const { device, epoch } of await session.rows<ClaimColumns>(OF_ACCOUNT, [account])) {
          for (const table of ['media_body', 'media_key', 'loss', 'media_loss', 'drained', 'member', 'record_body']) {
            await session.execute(`DELETE FROM ${table} WHERE device = $1 AND epoch = $2`, [device, epoch]);
          }
          deleted += await session.execute('DELETE FROM record_key WHERE device = $1 AND epoch = $2', [device, epoch]);
        }
        await session.execute("UPDATE claim SET claim = NULL, state = 'revoked' WHERE account = $1", [account]);
        return deleted;
      }),
  };
}
