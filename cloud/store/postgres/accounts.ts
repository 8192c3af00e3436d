import { nodeSuite } from '../../../protocol/crypto/node.js';
import { accountId } from '../../../protocol/objects/ids.js';
import type { SealedObject } from '../../../protocol/seal/seal.js';
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
import type { AccountMark, ErasedEpoch } from '../statement-store.js';
import type { AccountStore } from '../store.js';
import type { Database, Session } from './database.js';
import { marking, markRanges } from './deletions.js';
import { SELECT_RECORD } from './records.js';
import type { Values } from './statements.js';

const SELECT_CLAIMS = 'SELECT * FROM claim WHERE account = @account ORDER BY device, epoch';
/** Tables that hold rows of an epoch, besides `record_key`, `claim`, the statements of deletion and the access log. */
const TABLES_OF_EPOCH = [
  'media_body',
  'media_key',
  'loss',
  'media_loss',
  'drained',
  'member',
  'record_body',
  'floor_statement',
  'period',
  'period_use',
  'segment',
  'push_silence',
];

export function postgresAccounts(database: Database): AccountStore {
  const selectMarks = async (rest: string, values: Values): Promise<AccountMark[]> =>
    (await database.rows<AccountMarkColumns>(`SELECT * FROM account_deletion ${rest}`, values)).map(accountMark);
  return {
    export: (exported) =>
      exportAccount(
        {
          readClaims: async (account) => (await database.rows<ClaimColumns>(SELECT_CLAIMS, { account })).map(claimRow),
          readRecords: async ({ device, epoch }, seq, limit) => {
            const rows = await database.rows<RecordColumns>(
              `${SELECT_RECORD} WHERE k.device = @device AND k.epoch = @epoch AND k.seq > @seq
                 AND (${notDeleted('k')} OR ${isNeededKey('k')}) ORDER BY k.seq LIMIT @limit`,
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
    delete: (epochs) => database.transaction('SERIALIZABLE', (session) => deleteEpochs(session, epochs)),
    mark: (ownerKey, statements, eraseAtMs) =>
      marking(database, async (session) => {
        const account = accountId(nodeSuite, ownerKey);
        await session.execute(
          `INSERT INTO account_deletion (account, owner_key, erase_at_ms, is_erasing)
           VALUES (@account, @ownerKey, @eraseAtMs, false) ON CONFLICT DO NOTHING`,
          { account, ownerKey, eraseAtMs },
        );
        const [stored] = await session.rows<AccountMarkColumns>(
          'SELECT * FROM account_deletion WHERE account = @account',
          { account },
        );
        const storedMs = stored?.erase_at_ms ?? eraseAtMs;
        const outcome = await markRanges(session, statements, 'account', storedMs);
        return outcome.outcome === 'marked' ? { outcome: 'marked', eraseAtMs: storedMs } : outcome;
      }),
    marks: (accounts) =>
      selectMarks('WHERE account = ANY(@accounts::bytea[])', {
        accounts: accounts.map((account) => Buffer.from(account)),
      }),
    restore: (account, nowMs) =>
      database.transaction('READ COMMITTED', async (session) => {
        const removed = await session.execute(
          'DELETE FROM account_deletion WHERE account = @account AND NOT is_erasing AND erase_at_ms > @nowMs',
          { account, nowMs },
        );
        if (removed === 0) return false;
        await session.execute(
          "DELETE FROM deletion_statement WHERE account = @account AND scope = 'account' AND state = 'marked'",
          { account },
        );
        return true;
      }),
    due: (nowMs, limit) =>
      selectMarks('WHERE erase_at_ms <= @nowMs ORDER BY erase_at_ms LIMIT @limit', { nowMs, limit }),
    beginErasing: async (account) =>
      (await database.execute('UPDATE account_deletion SET is_erasing = true WHERE account = @account', { account })) >
      0,
    finishErasing: async (account) => {
      await database.execute('DELETE FROM account_deletion WHERE account = @account', { account });
    },
    postpone: async (account, untilMs) => {
      await database.execute('UPDATE account_deletion SET erase_at_ms = @untilMs WHERE account = @account', {
        account,
        untilMs,
      });
    },
    pending: (limit) => selectMarks('ORDER BY erase_at_ms LIMIT @limit', { limit }),
  };
}

async function deleteEpochs(session: Session, epochs: readonly ErasedEpoch[]): Promise<number> {
  let deleted = 0;
  for (const { device, epoch, readerTokens } of epochs) {
    const of = { device, epoch };
    const keys = await session.rows<{ readonly key: Uint8Array; readonly kem: Uint8Array | null }>(
      'SELECT key, kem FROM member WHERE device = @device AND epoch = @epoch',
      of,
    );
    for (const table of TABLES_OF_EPOCH) {
      await session.execute(`DELETE FROM ${table} WHERE device = @device AND epoch = @epoch`, of);
    }
    deleted += await session.execute('DELETE FROM record_key WHERE device = @device AND epoch = @epoch', of);
    await session.execute(
      "UPDATE claim SET claim = NULL, state = 'revoked' WHERE device = @device AND epoch = @epoch",
      of,
    );
    await session.execute(
      `DELETE FROM household_settings WHERE account = (SELECT account FROM claim WHERE device = @device AND epoch = @epoch)
         AND NOT EXISTS (SELECT 1 FROM claim WHERE claim.account = household_settings.account AND claim.claim IS NOT NULL)`,
      of,
    );
    // What a key that reads nothing any longer had said about these cameras.
    await session.execute(
      `DELETE FROM heads_statement WHERE key = ANY(@keys::bytea[])
         AND NOT EXISTS (SELECT 1 FROM member WHERE member.key = heads_statement.key)`,
      { keys: keys.map(({ key }) => Buffer.from(key)) },
    );
    for (const { key } of keys) await session.execute(DROP_OF_NOBODY, { key });
    await session.execute(
      `DELETE FROM kem_key WHERE hash = ANY(@kems::bytea[])
         AND NOT EXISTS (SELECT 1 FROM member WHERE member.kem = kem_key.hash)`,
      { kems: keys.flatMap(({ kem }) => (kem === null ? [] : [Buffer.from(kem)])) },
    );
    const statements = await session.execute(
      "UPDATE deletion_statement SET state = 'erased' WHERE device = @device AND epoch = @epoch",
      of,
    );
    if (statements === 0) continue;
    await session.execute(
      'INSERT INTO deletion_reader (token) SELECT * FROM unnest(@tokens::bytea[]) ON CONFLICT DO NOTHING',
      { tokens: readerTokens.map((token) => Buffer.from(token)) },
    );
  }
  return deleted;
}
