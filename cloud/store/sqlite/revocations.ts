import { equal } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { accountId } from '../../../protocol/objects/ids.js';
import type { RevocationStore } from '../store.js';
import type { Database } from './database.js';

type Guard = <T>(run: () => T) => Promise<T>;

interface RevocationColumns {
  readonly scope: 'owner' | 'maker';
  readonly list_version: number;
  readonly list: Uint8Array;
  readonly stored_at_ms: number;
}

export function sqliteRevocations(db: Database, guard: Guard): RevocationStore {
  const newest = db.prepare<unknown[], RevocationColumns>('SELECT * FROM revocation WHERE signer = ?');
  const put = db.prepare(
    'INSERT OR REPLACE INTO revocation (signer, scope, list_version, list, stored_at_ms) VALUES (?, ?, ?, ?, ?)',
  );
  const ownEpoch = db.prepare('SELECT 1 FROM claim WHERE device = ? AND epoch = ? AND account = ?');
  const revokeEpoch = db.prepare("UPDATE claim SET state = 'revoked' WHERE device = ? AND epoch = ? AND account = ?");
  const revokeDevice = db.prepare('INSERT OR IGNORE INTO revoked_device (device, since_ms) VALUES (?, ?)');
  const revoked = db.prepare('SELECT 1 FROM revoked_device WHERE device = ?');
  return {
    put: ({ kid, value, bytes }, atMs) =>
      guard(() =>
        db
          .transaction(() => {
            const last = newest.get(kid);
            if (last !== undefined && last.list_version >= value.listVersion) {
              return equal(new Uint8Array(last.list), bytes) ? 'duplicate' : 'rollback';
            }
            const account = accountId(nodeSuite, kid);
            for (const { device, epoch } of value.entries) {
              if (value.scope === 'maker') revokeDevice.run(device, atMs);
              else if (ownEpoch.get(device, epoch, account) === undefined) return 'foreign';
            }
            if (value.scope === 'owner') {
              for (const { device, epoch } of value.entries) revokeEpoch.run(device, epoch, account);
            }
            put.run(kid, value.scope, value.listVersion, bytes, atMs);
            return 'stored';
          })
          .immediate(),
      ),
    newest: (signer) =>
      guard(() => {
        const row = newest.get(signer);
        return row === undefined ? undefined : { list: new Uint8Array(row.list), storedAtMs: row.stored_at_ms };
      }),
    isRevoked: (device) => guard(() => revoked.get(device) !== undefined),
  };
}
