import type { SealedObject } from '../../../protocol/seal/seal.js';
import { exportAccount } from '../paging.js';
import { claimRow, storedRecord, type AccessColumns, type ClaimColumns, type RecordColumns } from '../rows.js';
import type { AccountStore } from '../store.js';
import type { Database } from './database.js';
import { SELECT_RECORD } from './records.js';

const SELECT_CLAIMS = 'SELECT * FROM claim WHERE account = @account ORDER BY device, epoch';
/** Tables that hold rows of an epoch, besides `record_key`, `claim` and the access log. */
const TABLES_OF_EPOCH = ['media_body', 'media_key', 'loss', 'media_loss', 'drained', 'member', 'record_body'];

export function postgresAccounts(database: Database): AccountStore {
  return {
    export: (exported) =>
      exportAccount(
        {
          readClaims: async (account) => (await database.rows<ClaimColumns>(SELECT_CLAIMS, { account })).map(claimRow),
          readRecords: async ({ device, epoch }, seq, limit) => {
            const rows = await database.rows<RecordColumns>(
              `${SELECT_RECORD} WHERE k.device = @device AND k.epoch = @epoch AND k.seq > @seq
               ORDER BY k.seq LIMIT @limit`,
              { device, epoch, seq, limit },
            );
            return rows.map(storedRecord);
          },
          readMedia: async ({ device, epoch }, seq) => {
            const rows = await database.rows<SealedObject & { readonly media_id: Uint8Array }>(
              `SELECT media_id, b.header, b.body
               FROM media_key AS k JOIN media_body AS b USING (device, epoch, media_id, day)
               WHERE k.device = @device AND k.epoch = @epoch AND k.seq = @seq ORDER BY media_id`,
              { device, epoch, seq },
            );
            return rows.map(({ media_id: id, header, body }) => ({ id, sealed: { header, body } }));
          },
          readAccess: ({ device, epoch }, id, limit) =>
            database.rows<AccessColumns>(
              'SELECT * FROM access WHERE device = @device AND epoch = @epoch AND id > @id ORDER BY id LIMIT @limit',
              { device, epoch, id, limit },
            ),
        },
        exported,
      ),
    claims: async (account) => (await database.rows<ClaimColumns>(SELECT_CLAIMS, { account })).map(claimRow),
    delete: (epochs) =>
      database.transaction('SERIALIZABLE', async (session) => {
        let deleted = 0;
        for (const { device, epoch } of epochs) {
          for (const table of TABLES_OF_EPOCH) {
            await session.execute(`DELETE FROM ${table} WHERE device = @device AND epoch = @epoch`, { device, epoch });
          }
          deleted += await session.execute('DELETE FROM record_key WHERE device = @device AND epoch = @epoch', {
            device,
            epoch,
          });
          await session.execute(
            "UPDATE claim SET claim = NULL, state = 'revoked' WHERE device = @device AND epoch = @epoch",
            { device, epoch },
          );
        }
        return deleted;
      }),
  };
}
