import type { EpochKey } from '../store.js';
import type { Database } from './database.js';

export interface RecordKey extends EpochKey {
  readonly seq: number;
}

/** Tables that hold what came with a record, beside the record's own. */
const TABLES = ['media', 'period_use', 'record'];

/** Returns the deletion of one record with what it brought. The caller holds the transaction. */
export function recordDeleter(db: Database): (key: RecordKey) => void {
  const statements = TABLES.map((table) =>
    db.prepare<RecordKey>(`DELETE FROM ${table} WHERE device = @device AND epoch = @epoch AND seq = @seq`),
  );
  return ({ device, epoch, seq }) => {
    for (const statement of statements) statement.run({ device, epoch, seq });
  };
}
