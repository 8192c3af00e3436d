import { equal } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Deletion } from '../../../protocol/objects/deletion.js';
import { accountId } from '../../../protocol/objects/ids.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { DELETIONS_PER_EPOCH_MAX } from '../bounds.js';
import { IS_SPENT_PERIOD, storedDeletion, type DeletionColumns } from '../rows.js';
import type { DeletionStore, MarkOutcome, StoredDeletion } from '../statement-store.js';
import type { EpochKey } from '../store.js';
import type { Database, Guard } from './database.js';
import { recordDeleter } from './delete-record.js';

interface StatementKey extends EpochKey {
  readonly hash: Uint8Array;
}

interface Range extends EpochKey {
  readonly from: number;
  readonly to: number;
}

interface NewStatement extends StatementKey, Range {
  readonly statement: Uint8Array;
  readonly account: Uint8Array;
  readonly scope: StoredDeletion['scope'];
  readonly eraseAtMs: number;
}

/** Stores statements and so hides their ranges. The caller holds the transaction, and rolls back unless `marked`. */
export type MarkRanges = (
  statements: readonly Verified<Deletion>[],
  scope: StoredDeletion['scope'],
  eraseAtMs: number,
) => MarkOutcome;

const WHERE_STATEMENT = 'WHERE device = @device AND epoch = @epoch AND hash = @hash';

export function rangeMarker(db: Database): MarkRanges {
  const known = db.prepare<StatementKey, { readonly erase_at_ms: number }>(
    `SELECT erase_at_ms FROM deletion_statement ${WHERE_STATEMENT}`,
  );
  const hashOf = db.prepare<EpochKey & { seq: number }, { readonly hash: Uint8Array }>(
    'SELECT hash FROM record WHERE device = @device AND epoch = @epoch AND seq = @seq',
  );
  const count = db.prepare<EpochKey, { readonly count: number }>(
    'SELECT count(*) AS count FROM deletion_statement WHERE device = @device AND epoch = @epoch',
  );
  const insert = db.prepare<NewStatement>(
    `INSERT INTO deletion_statement
       (device, epoch, hash, from_seq, to_seq, statement, account, scope, state, erase_at_ms)
     VALUES (@device, @epoch, @hash, @from, @to, @statement, @account, @scope, 'marked', @eraseAtMs)`,
  );
  return (statements, scope, eraseAtMs) => {
    let latestMs = 0;
    for (const { value, hash, kid, bytes } of statements) {
      const { device, epoch, fromSeq: from, toSeq: to, lastHash } = value;
      const stored = known.get({ device, epoch, hash });
      latestMs = Math.max(latestMs, stored?.erase_at_ms ?? eraseAtMs);
      if (stored !== undefined) continue;
      const last = hashOf.get({ device, epoch, seq: to });
      if (last === undefined || !equal(new Uint8Array(last.hash), lastHash)) return { outcome: 'unknown-record' };
      const isFull = (count.get({ device, epoch })?.count ?? 0) >= DELETIONS_PER_EPOCH_MAX;
      // An account can always be deleted; it brings one statement for each epoch.
      if (isFull && scope === 'range') return { outcome: 'full' };
      const account = accountId(nodeSuite, kid);
      insert.run({ device, epoch, hash, from, to, statement: bytes, account, scope, eraseAtMs });
    }
    return { outcome: 'marked', eraseAtMs: statements.length === 0 ? eraseAtMs : latestMs };
  };
}

/** Ends a transaction whose outcome is an answer, not a fault. */
class RolledBack extends Error {
  readonly outcome: MarkOutcome;

  constructor(outcome: MarkOutcome) {
    super(outcome.outcome);
    this.outcome = outcome;
  }
}

/** Runs `work` in a transaction that changes nothing unless its outcome is `marked`. */
export function marking(db: Database, work: () => MarkOutcome): MarkOutcome {
  try {
    return db
      .transaction(() => {
        const result = work();
        if (result.outcome !== 'marked') throw new RolledBack(result);
        return result;
      })
      .immediate();
  } catch (error) {
    if (error instanceof RolledBack) return error.outcome;
    throw error;
  }
}

export function sqliteDeletions(db: Database, guard: Guard, markRanges: MarkRanges): DeletionStore {
  const undoable = db.prepare<StatementKey & { nowMs: number }>(
    `DELETE FROM deletion_statement ${WHERE_STATEMENT}
     AND scope = 'range' AND state = 'marked' AND erase_at_ms > @nowMs`,
  );
  const ofEpoch = db.prepare<EpochKey, DeletionColumns>(
    `SELECT * FROM deletion_statement WHERE device = @device AND epoch = @epoch
     ORDER BY from_seq, to_seq, erase_at_ms, hash`,
  );
  const unerased = "SELECT * FROM deletion_statement WHERE scope = 'range' AND state <> 'erased'";
  const due = db.prepare<{ nowMs: number; limit: number }, DeletionColumns>(
    `${unerased} AND erase_at_ms <= @nowMs ORDER BY erase_at_ms LIMIT @limit`,
  );
  const pending = db.prepare<{ limit: number }, DeletionColumns>(`${unerased} ORDER BY erase_at_ms LIMIT @limit`);
  const setState = db.prepare<StatementKey & { state: StoredDeletion['state'] }>(
    `UPDATE deletion_statement SET state = @state ${WHERE_STATEMENT}`,
  );
  const setTime = db.prepare<StatementKey & { untilMs: number }>(
    `UPDATE deletion_statement SET erase_at_ms = @untilMs ${WHERE_STATEMENT}`,
  );
  const hashOf = db.prepare<EpochKey & { seq: number }, { readonly hash: Uint8Array }>(
    'SELECT hash FROM record WHERE device = @device AND epoch = @epoch AND seq = @seq',
  );
  // Key records go last: only then it shows whether anything that stays needs them.
  const inRange = db.prepare<Range & { limit: number }, { readonly seq: number }>(
    `SELECT seq FROM record WHERE device = @device AND epoch = @epoch AND seq BETWEEN @from AND @to AND kind <> 'key'
     ORDER BY seq DESC LIMIT @limit`,
  );
  const spentKeys = db.prepare<Range, { readonly seq: number }>(
    `SELECT seq FROM period AS p JOIN record USING (device, epoch, seq, hash)
     WHERE device = @device AND epoch = @epoch AND seq BETWEEN @from AND @to AND ${IS_SPENT_PERIOD}`,
  );
  const deleteOne = recordDeleter(db);
  const reader = db.prepare<{ token: Uint8Array }>('SELECT 1 FROM deletion_reader WHERE token = @token');

  function undo(statements: readonly Verified<Deletion>[], nowMs: number): boolean {
    try {
      db.transaction(() => {
        for (const { value, hash } of statements) {
          const { changes } = undoable.run({ device: value.device, epoch: value.epoch, hash, nowMs });
          if (changes === 0) throw new RolledBack({ outcome: 'unknown-record' });
        }
      }).immediate();
      return true;
    } catch (error) {
      if (error instanceof RolledBack) return false;
      throw error;
    }
  }

  function erase({ value, hash: statementHash }: Verified<Deletion>, limit: number): number | null {
    const { device, epoch, fromSeq: from, toSeq: to, lastHash } = value;
    const key = { device, epoch, hash: statementHash };
    const last = hashOf.get({ device, epoch, seq: to });
    if (last !== undefined && !equal(new Uint8Array(last.hash), lastHash)) return null;
    const found = inRange.all({ device, epoch, from, to, limit });
    const isLastStep = found.length < limit;
    if (setState.run({ ...key, state: isLastStep ? 'erased' : 'erasing' }).changes === 0) return null;
    for (const { seq } of found) deleteOne({ device, epoch, seq });
    if (!isLastStep) return found.length;
    const spent = spentKeys.all({ device, epoch, from, to });
    for (const { seq } of spent) deleteOne({ device, epoch, seq });
    return found.length + spent.length;
  }

  return {
    mark: (statements, eraseAtMs) => guard(() => marking(db, () => markRanges(statements, 'range', eraseAtMs))),
    undo: (statements, nowMs) => guard(() => undo(statements, nowMs)),
    of: (device, epoch) => guard(() => ofEpoch.all({ device, epoch }).map(storedDeletion)),
    due: (nowMs, limit) => guard(() => due.all({ nowMs, limit }).map(storedDeletion)),
    erase: (statement, limit) => guard(() => db.transaction(() => erase(statement, limit)).immediate()),
    postpone: ({ device, epoch, hash }, untilMs) => guard(() => void setTime.run({ device, epoch, hash, untilMs })),
    pending: (limit) => guard(() => pending.all({ limit }).map(storedDeletion)),
    isReader: (token) => guard(() => reader.get({ token }) !== undefined),
  };
}
