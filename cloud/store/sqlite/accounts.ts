import { exportAccount } from '../paging.js';
import { claimRow, storedRecord, type AccessColumns, type ClaimColumns, type RecordColumns } from '../rows.js';
import type { AccountStore, EpochKey } from '../store.js';
import type { Database, Guard } from './database.js';

interface MediaColumns {
  readonly media_id: Uint8Array;
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

/** Tables that hold rows of an epoch, besides `record`, `claim` and the access log. */
const TABLES_OF_EPOCH = ['media', 'loss', 'media_loss', 'drained', 'member'];

export function sqliteAccounts(db: Database, guard: Guard): AccountStore {
  const claims = db.prepare<{ account: Uint8Array }, ClaimColumns>(
    'SELECT * FROM claim WHERE account = @account ORDER BY device, epoch',
  );
  const records = db.prepare<EpochKey & { seq: number; limit: number }, RecordColumns>(
    'SELECT * FROM record WHERE device = @device AND epoch = @epoch AND seq > @seq ORDER BY seq LIMIT @limit',
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

  function deleteEpochs(epochs: readonly EpochKey[]): number {
    let deleted = 0;
    for (const { device, epoch } of epochs) {
      for (const table of TABLES_OF_EPOCH) {
        db.prepare<EpochKey>(`DELETE FROM ${table} WHERE device = @device AND epoch = @epoch`).run({ device, epoch });
      }
      deleted += db
        .prepare<EpochKey>('DELETE FROM record WHERE device = @device AND epoch = @epoch')
        .run({ device, epoch }).changes;
      revoke.run({ device, epoch });
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
  };
}
