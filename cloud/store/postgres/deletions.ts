import { equal } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Deletion } from '../../../protocol/objects/deletion.js';
import { accountId } from '../../../protocol/objects/ids.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { DELETIONS_PER_EPOCH_MAX } from '../bounds.js';
import { IS_SPENT_PERIOD, storedDeletion, type DeletionColumns } from '../rows.js';
import type { DeletionStore, MarkOutcome, StoredDeletion } from '../statement-store.js';
import type { Database, Session } from './database.js';
import { tuples, type Values } from './statements.js';

const WHERE_STATEMENT = 'WHERE device = @device AND epoch = @epoch AND hash = @hash';
const UNERASED = "SELECT * FROM deletion_statement WHERE scope = 'range' AND state <> 'erased'";

/** Runs `work` in a transaction that changes nothing unless its outcome is `marked`. */
export async function marking(
  database: Database,
  work: (session: Session) => Promise<MarkOutcome>,
): Promise<MarkOutcome> {
  const refusals: MarkOutcome[] = [];
  try {
    return await database.transaction('SERIALIZABLE', async (session) => {
      const result = await work(session);
      if (result.outcome === 'marked') return result;
      refusals.push(result);
      // Rolls back; the caller gets the outcome below.
      throw new Error(result.outcome);
    });
  } catch (error) {
    const refused = refusals.at(-1);
    if (refused !== undefined) return refused;
    throw error;
  }
}

/** Stores statements and so hides their ranges. The caller holds the transaction, and rolls back unless `marked`. */
export async function markRanges(
  session: Session,
  statements: readonly Verified<Deletion>[],
  scope: StoredDeletion['scope'],
  eraseAtMs: number,
): Promise<MarkOutcome> {
  let latestMs = 0;
  for (const { value, hash, kid, bytes } of statements) {
    const { device, epoch, fromSeq: from, toSeq: to, lastHash } = value;
    const [found] = await session.rows<{
      readonly erase_at_ms: number | null;
      readonly last: Uint8Array | null;
      n: number;
    }>(
      `SELECT (SELECT erase_at_ms FROM deletion_statement ${WHERE_STATEMENT}) AS erase_at_ms,
         (SELECT hash FROM record_key WHERE device = @device AND epoch = @epoch AND seq = @to) AS last,
         (SELECT count(*) FROM deletion_statement WHERE device = @device AND epoch = @epoch) AS n`,
      { device, epoch, hash, to },
    );
    const storedMs = found?.erase_at_ms ?? null;
    latestMs = Math.max(latestMs, storedMs ?? eraseAtMs);
    if (storedMs !== null) continue;
    const last = found?.last ?? null;
    if (last === null || !equal(last, lastHash)) return { outcome: 'unknown-record' };
    // An account can always be deleted; it brings one statement for each epoch.
    if ((found?.n ?? 0) >= DELETIONS_PER_EPOCH_MAX && scope === 'range') return { outcome: 'full' };
    await session.execute(
      `INSERT INTO deletion_statement
         (device, epoch, hash, from_seq, to_seq, statement, account, scope, state, erase_at_ms)
       VALUES (@device, @epoch, @hash, @from, @to, @bytes, @account, @scope, 'marked', @eraseAtMs)`,
      { device, epoch, hash, from, to, bytes, account: accountId(nodeSuite, kid), scope, eraseAtMs },
    );
  }
  return { outcome: 'marked', eraseAtMs: statements.length === 0 ? eraseAtMs : latestMs };
}

export function postgresDeletions(database: Database): DeletionStore {
  const select = async (text: string, values: Values): Promise<StoredDeletion[]> =>
    (await database.rows<DeletionColumns>(text, values)).map(storedDeletion);

  return {
    mark: (statements, eraseAtMs) =>
      marking(database, (session) => markRanges(session, statements, 'range', eraseAtMs)),
    undo: async (statements, nowMs) => {
      const { outcome } = await marking(database, async (session) => {
        for (const { value, hash } of statements) {
          const undone = await session.execute(
            `DELETE FROM deletion_statement ${WHERE_STATEMENT}
             AND scope = 'range' AND state = 'marked' AND erase_at_ms > @nowMs`,
            { device: value.device, epoch: value.epoch, hash, nowMs },
          );
          if (undone === 0) return { outcome: 'unknown-record' };
        }
        return { outcome: 'marked', eraseAtMs: nowMs };
      });
      return outcome === 'marked';
    },
    of: (device, epoch) =>
      select(
        `SELECT * FROM deletion_statement WHERE device = @device AND epoch = @epoch
         ORDER BY from_seq, to_seq, erase_at_ms, hash`,
        { device, epoch },
      ),
    due: (nowMs, limit) =>
      select(`${UNERASED} AND erase_at_ms <= @nowMs ORDER BY erase_at_ms LIMIT @limit`, { nowMs, limit }),
    erase: (statement, limit) =>
      database.transaction('READ COMMITTED', (session) => eraseRange(session, statement, limit)),
    postpone: async ({ device, epoch, hash }, untilMs) => {
      await database.execute(`UPDATE deletion_statement SET erase_at_ms = @untilMs ${WHERE_STATEMENT}`, {
        device,
        epoch,
        hash,
        untilMs,
      });
    },
    pending: (limit) => select(`${UNERASED} ORDER BY erase_at_ms LIMIT @limit`, { limit }),
    isReader: async (token) =>
      (await database.rows('SELECT 1 FROM deletion_reader WHERE token = @token', { token })).length > 0,
  };
}

async function eraseRange(
  session: Session,
  { value, hash: statementHash }: Verified<Deletion>,
  limit: number,
): Promise<number | null> {
  const { device, epoch, fromSeq: from, toSeq: to, lastHash } = value;
  // Locked first: an undo waits for this transaction, or this one for the undo.
  const marked = await session.rows(`SELECT 1 FROM deletion_statement ${WHERE_STATEMENT} FOR UPDATE`, {
    device,
    epoch,
    hash: statementHash,
  });
  if (marked.length === 0) return null;
  const [last] = await session.rows<{ readonly hash: Uint8Array }>(
    'SELECT hash FROM record_key WHERE device = @device AND epoch = @epoch AND seq = @to',
    { device, epoch, to },
  );
  if (last !== undefined && !equal(last.hash, lastHash)) return null;
  // Key records go last: only then it shows whether anything that stays needs them.
  const found = await session.rows<{ readonly seq: number }>(
    `SELECT seq FROM record_key WHERE device = @device AND epoch = @epoch AND seq BETWEEN @from AND @to AND kind <> 'key'
     ORDER BY seq DESC LIMIT @limit`,
    { device, epoch, from, to, limit },
  );
  const isLastStep = found.length < limit;
  await session.execute(`UPDATE deletion_statement SET state = @state ${WHERE_STATEMENT}`, {
    device,
    epoch,
    hash: statementHash,
    state: isLastStep ? 'erased' : 'erasing',
  });
  const deleteSeqs = async (seqs: readonly { readonly seq: number }[]): Promise<number> => {
    await deleteRecords(
      session,
      seqs.map(({ seq }) => ({ device, epoch, seq })),
    );
    return seqs.length;
  };
  const erased = await deleteSeqs(found);
  if (!isLastStep) return erased;
  const spent = await session.rows<{ readonly seq: number }>(
    `SELECT p.seq FROM period AS p JOIN record_key AS k USING (device, epoch, seq, hash)
     WHERE p.device = @device AND p.epoch = @epoch AND p.seq BETWEEN @from AND @to AND ${IS_SPENT_PERIOD}`,
    { device, epoch, from, to },
  );
  return erased + (await deleteSeqs(spent));
}

/**
 * Deletes records whose seqs are given, with their bytes and media. The caller holds the transaction. Their segments stay as
 * deleted, so that a body that comes later is refused for good.
 */
async function deleteRecords(
  session: Session,
  records: readonly { readonly device: Uint8Array; readonly epoch: number; readonly seq: number }[],
): Promise<void> {
  if (records.length === 0) return;
  const { text, values } = tuples(
    ['bytea', 'bigint', 'bigint'],
    records.map(({ device, epoch, seq }) => [device, epoch, seq]),
  );
  const keys = `(VALUES ${text})`;
  await session.execute(
    `UPDATE segment SET state = 'deleted' WHERE (device, epoch, seq) IN ${keys} AND state <> 'deleted'`,
    values,
  );
  await session.execute(`DELETE FROM period_use WHERE (device, epoch, seq) IN ${keys}`, values);
  await session.execute(`DELETE FROM record_body WHERE (device, epoch, seq) IN ${keys}`, values);
  await session.execute(
    `DELETE FROM media_body USING media_key AS k WHERE (k.device, k.epoch, k.seq) IN ${keys}
       AND media_body.day = k.day AND media_body.device = k.device AND media_body.epoch = k.epoch
       AND media_body.media_id = k.media_id`,
    values,
  );
  await session.execute(`DELETE FROM media_key WHERE (device, epoch, seq) IN ${keys}`, values);
  await session.execute(`DELETE FROM record_key WHERE (device, epoch, seq) IN ${keys}`, values);
}
