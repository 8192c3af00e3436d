import { equal } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { accountId } from '../../../protocol/objects/ids.js';
import type { RevocationStore } from '../store.js';
import type { Database } from './database.js';

interface RevocationColumns {
  readonly list_version: number;
  readonly list: Uint8Array;
  readonly stored_at_ms: number;
}

const NEWEST = 'SELECT * FROM revocation WHERE signer = $1';

export function postgresRevocations(database: Database): RevocationStore {
  return {
    put: ({ kid, value, bytes }, atMs) =>
      database.transaction('SERIALIZABLE', async (session) => {
        const [last] = await session.rows<RevocationColumns>(NEWEST, [kid]);
        if (last !== undefined && last.list_version >= value.listVersion) {
          return equal(last.list, bytes) ? 'duplicate' : 'rollback';
        }
        const account = accountId(nodeSuite, kid);
        const own = 'WHERE device = $1 AND epoch = $2 AND account = $3';
        if (value.scope === 'owner') {
          for (const { device, epoch } of value.entries) {
            const found = await session.rows(`SELECT 1 FROM claim ${own}`, [device, epoch, account]);
            if (found.length === 0) return 'foreign';
          }
        }
        for (const { device, epoch } of value.entries) {
          if (value.scope === 'owner') {
            await session.execute(`UPDATE claim SET state = 'revoked' ${own}`, [device, epoch, account]);
          } else {
            await session.execute('INSERT INTO revoked_device VALUES ($1, $2) ON CONFLICT DO NOTHING', [device, atMs]);
          }
        }
        await session.execute(
          `INSERT INTO revocation (signer, scope, list_version, list, stored_at_ms) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (signer) DO UPDATE SET scope = excluded.scope, list_version = excluded.list_version,
             list = excluded.list, stored_at_ms = excluded.stored_at_ms`,
          [kid, value.scope, value.listVersion, bytes, atMs],
        );
        return 'stored';
      }),
    newest: async (signer) => {
      const [row] = await database.rows<RevocationColumns>(NEWEST, [signer]);
      return row === undefined ? undefined : { list: row.list, storedAtMs: row.stored_at_ms };
    },
    isRevoked: async (device) =>
      (await database.rows('SELECT 1 FROM revoked_device WHERE device = $1', [device])).length > 0,
  };
}
