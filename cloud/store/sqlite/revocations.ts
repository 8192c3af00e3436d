import { equal } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { accountId } from '../../../protocol/objects/ids.js';
import type { Revocation } from '../../../protocol/objects/revocation.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { DROP_OF_REVOKED } from '../push-rows.js';
import { storedRevocation, type RevocationColumns } from '../rows.js';
import type { RevocationStore } from '../store.js';
import type { Database, Guard } from './database.js';

interface ListParams extends RevocationColumns {
  readonly signer: Uint8Array;
  readonly scope: Revocation['scope'];
}

/** Without an epoch it matches no row. */
interface OwnEpoch {
  readonly device: Uint8Array;
  readonly epoch: number | null;
  readonly account: Uint8Array;
}

export function sqliteRevocations(db: Database, guard: Guard): RevocationStore {
  const newest = db.prepare<{ signer: Uint8Array }, RevocationColumns>(
    'SELECT * FROM revocation WHERE signer = @signer',
  );
  const putList = db.prepare<ListParams>(
    `INSERT OR REPLACE INTO revocation (signer, scope, list_version, list, stored_at_ms)
     VALUES (@signer, @scope, @list_version, @list, @stored_at_ms)`,
  );
  const ownEpoch = db.prepare<OwnEpoch>(
    'SELECT 1 FROM claim WHERE device = @device AND epoch = @epoch AND account = @account',
  );
  const revokeEpoch = db.prepare<OwnEpoch>(
    "UPDATE claim SET state = 'revoked' WHERE device = @device AND epoch = @epoch AND account = @account",
  );
  const revokeDevice = db.prepare<{ device: Uint8Array; since_ms: number }>(
    'INSERT OR IGNORE INTO revoked_device (device, since_ms) VALUES (@device, @since_ms)',
  );
  const dropPush = db.prepare<Omit<OwnEpoch, 'account'>>(DROP_OF_REVOKED);
  const revoked = db.prepare<{ device: Uint8Array }>('SELECT 1 FROM revoked_device WHERE device = @device');

  function put({ kid, value, bytes }: Verified<Revocation>, atMs: number): Awaited<ReturnType<RevocationStore['put']>> {
    const last = newest.get({ signer: kid });
    if (last !== undefined && last.list_version >= value.listVersion) {
      return equal(new Uint8Array(last.list), bytes) ? 'duplicate' : 'rollback';
    }
    const account = accountId(nodeSuite, kid);
    for (const { device, epoch = null } of value.entries) {
      if (value.scope === 'maker') revokeDevice.run({ device, since_ms: atMs });
      else if (ownEpoch.get({ device, epoch, account }) === undefined) return 'foreign';
    }
    if (value.scope === 'owner') {
      for (const { device, epoch = null } of value.entries) revokeEpoch.run({ device, epoch, account });
    }
    for (const { device, epoch = null } of value.entries) dropPush.run({ device, epoch });
    putList.run({
      signer: kid,
      scope: value.scope,
      list_version: value.listVersion,
      list: bytes,
      stored_at_ms: atMs,
    });
    return 'stored';
  }

  return {
    put: (list, atMs) => guard(() => db.transaction(() => put(list, atMs)).immediate()),
    newest: (signer) =>
      guard(() => {
        const columns = newest.get({ signer });
        return columns === undefined ? undefined : storedRevocation(columns);
      }),
    isRevoked: (device) => guard(() => revoked.get({ device }) !== undefined),
  };
}
