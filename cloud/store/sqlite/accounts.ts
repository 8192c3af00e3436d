import { nodeSuite } from '../../../protocol/crypto/node.js';
import { accountId } from '../../../protocol/objects/ids.js';
import { exportAccount } from '../paging.js';
import {
  accountMark,
  claimRow,
  isNeededKey,
  notDeleted,
  storedRecord,
  type AccessColumns,
  type AccountMarkColumns,
  type ClaimColumns,
  type RecordColumns,
} from '../rows.js';
import { DROP_OF_NOBODY } from '../push-rows.js';
import type { ErasedEpoch } from '../statement-store.js';
import type { AccountStore, EpochKey } from '../store.js';
import type { Database, Guard } from './database.js';
import { marking, type MarkRanges } from './deletions.js';

interface MediaColumns {
  readonly media_id: Uint8Array;
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

/** Tables that hold rows of an epoch, besides `record`, `claim`, the statements of deletion and the access log. */
const TABLES_OF_EPOCH = [
  'media',
  'loss',
  'media_loss',
  'drained',
  'member',
  'floor_statement',
  'period',
  'period_use',
  'segment',
  'push_silence',
];

interface AccountKey {
  readonly account: Uint8Array;
}

export function sqliteAccounts(db: Database, guard: Guard, markRanges: MarkRanges): AccountStore {
  const claims = db.prepare<{ account: Uint8Array }, ClaimColumns>(
    'SELECT * FROM claim WHERE account = @account ORDER BY device, epoch',
  );
  const records = db.prepare<EpochKey & { seq: number; limit: number }, RecordColumns>(
    `SELECT * FROM record WHERE device = @device AND epoch = @epoch AND seq > @seq
       AND (${notDeleted('record')} OR ${isNeededKey('record')}) ORDER BY seq LIMIT @limit`,
  );
  const media = db.prepare<EpochKey & { seq: number }, MediaColumns>(
    'SELECT media_id, header, body FROM media WHERE device = @device AND epoch = @epoch AND seq = @seq',
  );
  const access = db.prepare<EpochKey & { id: number; limit: number }, AccessColumns>(
    'SELECT * FROM access WHERE device = @device AND epoch = @epoch AND id > @id ORDER BY id LIMIT @limit',
  );

  const revoke = db.prepare<EpochKey>(
    "UPDATE claim SET claim = NULL, state = 'revoked' WHERE device = @device AND epoch = @epoch",
  );

  const keysOf = db.prepare<EpochKey, { readonly key: Uint8Array; readonly kem: Uint8Array | null }>(
    'SELECT key, kem FROM member WHERE device = @device AND epoch = @epoch',
  );
  // What a key that reads nothing any longer had said about these cameras.
  const deleteHeads = db.prepare<{ key: Uint8Array }>(
    'DELETE FROM heads_statement WHERE key = @key AND NOT EXISTS (SELECT 1 FROM member WHERE member.key = @key)',
  );
  const deleteSettings = db.prepare<EpochKey>(
    `DELETE FROM household_settings WHERE account = (SELECT account FROM claim WHERE device = @device AND epoch = @epoch)
       AND NOT EXISTS (SELECT 1 FROM claim WHERE claim.account = household_settings.account AND claim.claim IS NOT NULL)`,
  );
  const deletePush = db.prepare<{ key: Uint8Array }>(DROP_OF_NOBODY);
  const deleteKem = db.prepare<{ kem: Uint8Array }>(
    'DELETE FROM kem_key WHERE hash = @kem AND NOT EXISTS (SELECT 1 FROM member WHERE member.kem = @kem)',
  );
  const setErased = db.prepare<EpochKey>(
    "UPDATE deletion_statement SET state = 'erased' WHERE device = @device AND epoch = @epoch",
  );
  const putReader = db.prepare<EpochKey & { token: Uint8Array }>(
    `INSERT OR IGNORE INTO deletion_reader (token) SELECT @token
     WHERE EXISTS (SELECT 1 FROM deletion_statement WHERE device = @device AND epoch = @epoch)`,
  );
  const mark = db.prepare<AccountKey & { ownerKey: Uint8Array; eraseAtMs: number }>(
    `INSERT OR IGNORE INTO account_deletion (account, owner_key, erase_at_ms, is_erasing)
     VALUES (@account, @ownerKey, @eraseAtMs, 0)`,
  );
  const markOf = db.prepare<AccountKey, AccountMarkColumns>('SELECT * FROM account_deletion WHERE account = @account');
  const unmark = db.prepare<AccountKey & { nowMs: number }>(
    'DELETE FROM account_deletion WHERE account = @account AND is_erasing = 0 AND erase_at_ms > @nowMs',
  );
  const dropStatements = db.prepare<AccountKey>(
    "DELETE FROM deletion_statement WHERE account = @account AND scope = 'account' AND state = 'marked'",
  );
  const due = db.prepare<{ nowMs: number; limit: number }, AccountMarkColumns>(
    'SELECT * FROM account_deletion WHERE erase_at_ms <= @nowMs ORDER BY erase_at_ms LIMIT @limit',
  );
  const pending = db.prepare<{ limit: number }, AccountMarkColumns>(
    'SELECT * FROM account_deletion ORDER BY erase_at_ms LIMIT @limit',
  );
  const begin = db.prepare<AccountKey>('UPDATE account_deletion SET is_erasing = 1 WHERE account = @account');
  const finish = db.prepare<AccountKey>('DELETE FROM account_deletion WHERE account = @account');
  const setTime = db.prepare<AccountKey & { untilMs: number }>(
    'UPDATE account_deletion SET erase_at_ms = @untilMs WHERE account = @account',
  );

  function deleteEpochs(epochs: readonly ErasedEpoch[]): number {
    let deleted = 0;
    for (const { device, epoch, readerTokens } of epochs) {
      const keys = keysOf.all({ device, epoch });
      for (const table of TABLES_OF_EPOCH) {
        db.prepare<EpochKey>(`DELETE FROM ${table} WHERE device = @device AND epoch = @epoch`).run({ device, epoch });
      }
      deleted += db
        .prepare<EpochKey>('DELETE FROM record WHERE device = @device AND epoch = @epoch')
        .run({ device, epoch }).changes;
      revoke.run({ device, epoch });
      deleteSettings.run({ device, epoch });
      for (const { key, kem } of keys) {
        deleteHeads.run({ key });
        deletePush.run({ key });
        if (kem !== null) deleteKem.run({ kem });
      }
      setErased.run({ device, epoch });
      for (const token of readerTokens) putReader.run({ device, epoch, token });
    }
    return deleted;
  }

  return {
    export: (exported) =>
      exportAccount(
        {
          readClaims: (account) => guard(() => claims.all({ account }).map(claimRow)),
          readRecords: ({ device, epoch }, seq, limit) =>
            guard(() => records.all({ device, epoch, seq, limit }).map(storedRecord)),
          readMedia: ({ device, epoch }, seq) =>
            guard(() =>
              media.all({ device, epoch, seq }).map(({ media_id, header, body }) => ({
                id: new Uint8Array(media_id),
                sealed: { header: new Uint8Array(header), body: new Uint8Array(body) },
              })),
            ),
          readAccess: ({ device, epoch }, id, limit) => guard(() => access.all({ device, epoch, id, limit })),
        },
        exported,
      ),
    claims: (account) => guard(() => claims.all({ account }).map(claimRow)),
    delete: (epochs) => guard(() => db.transaction(() => deleteEpochs(epochs)).immediate()),
    mark: (ownerKey, statements, eraseAtMs) =>
      guard(() =>
        marking(db, () => {
          const account = accountId(nodeSuite, ownerKey);
          mark.run({ account, ownerKey, eraseAtMs });
          const storedMs = markOf.get({ account })?.erase_at_ms ?? eraseAtMs;
          const outcome = markRanges(statements, 'account', storedMs);
          return outcome.outcome === 'marked' ? { outcome: 'marked', eraseAtMs: storedMs } : outcome;
        }),
      ),
    marks: (accounts) => guard(() => accounts.flatMap((account) => markOf.all({ account })).map(accountMark)),
    restore: (account, nowMs) =>
      guard(() =>
        db
          .transaction(() => {
            if (unmark.run({ account, nowMs }).changes === 0) return false;
            dropStatements.run({ account });
            return true;
          })
          .immediate(),
      ),
    due: (nowMs, limit) => guard(() => due.all({ nowMs, limit }).map(accountMark)),
    beginErasing: (account) => guard(() => begin.run({ account }).changes > 0),
    finishErasing: (account) => guard(() => void finish.run({ account })),
    postpone: (account, untilMs) => guard(() => void setTime.run({ account, untilMs })),
    pending: (limit) => guard(() => pending.all({ limit }).map(accountMark)),
  };
}
