import { equal } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { accountId } from '../../../protocol/objects/ids.js';
import { DROP_OF_REVOKED } from '../push-rows.js';
import { storedRevocation, type RevocationColumns } from '../rows.js';
import type { RevocationStore } from '../store.js';
import type { Database } from './database.js';

const SELECT_NEWEST = 'SELECT * FROM revocation WHERE signer = @signer';
const WHERE_OWN_EPOCH = 'WHERE device = @device AND epoch = @epoch AND account = @account';

export function postgresRevocations(database: Database): RevocationStore {
  return {
    put: ({ kid, value, bytes }, atMs) =>
      database.transaction('SERIALIZABLE', async (session) => {
        const [last] = await session.rows<RevocationColumns>(SELECT_NEWEST, { signer: kid });
        if (last !== undefined && last.list_version >= value.listVersion) {
          return equal(last.list, bytes) ? 'duplicate' : 'rollback';
        }
        const account = accountId(nodeSuite, kid);
        if (value.scope === 'owner') {
          for (const { device, epoch } of value.entries) {
            const found = await session.rows(`SELECT 1 FROM claim ${WHERE_OWN_EPOCH}`, { device, epoch, account });
            if (found.length === 0) return 'foreign';
          }
        }
        for (const { device, epoch } of value.entries) {
          if (value.scope === 'owner') {
            await session.execute(`UPDATE claim SET state = 'revoked' ${WHERE_OWN_EPOCH}`, { device, epoch, account });
          } else {
            await session.execute(
              'INSERT INTO revoked_device (device, since_ms) VALUES (@device, @atMs) ON CONFLICT DO NOTHING',
              { device, atMs },
            );
          }
        }
        for (const { device, epoch = null } of value.entries) await session.execute(DROP_OF_REVOKED, { device, epoch });
        await session.execute(
          `INSERT INTO revocation (signer, scope, list_version, list, stored_at_ms)
           VALUES (@signer, @scope, @listVersion, @list, @atMs)
           ON CONFLICT (signer) DO UPDATE SET scope = excluded.scope, list_version = excluded.list_version,
             list = excluded.list, stored_at_ms = excluded.stored_at_ms`,
          { signer: kid, scope: value.scope, listVersion: value.listVersion, list: bytes, atMs },
        );
        return 'stored';
      }),
    newest: async (signer) => {
      const [columns] = await database.rows<RevocationColumns>(SELECT_NEWEST, { signer });
      return columns === undefined ? undefined : storedRevocation(columns);
    },
    isRevoked: async (device) => {
      const found = await database.rows('SELECT 1 FROM revoked_device WHERE device = @device', { device });
      return found.length > 0;
    },
  };
}
