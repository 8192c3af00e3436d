import type { EpochKey } from '../store.js';
import { DELETE_OF_RECORD } from '../segments.js';
import type { Database } from './database.js';

export interface RecordKey extends EpochKey {
  readonly seq: number;
}

/** Tables that hold what came with a record, beside the record's own. */
const TABLES = ['media', 'period_use', 'record'];

/**
 * Returns the deletion of one record with what it brought. The caller holds the transaction. Its segments stay as deleted, so
 * that a body that comes later is refused for good.
 */
export function recordDeleter(db: Database): (key: RecordKey) => void {
  const statements = TABLES.map((table) =>
    db.prepare<RecordKey>(`DELETE FROM ${table} WHERE device = @device AND epoch = @epoch AND seq = @seq`),
  );
  const deleteSegments = db.prepare<RecordKey>(DELETE_OF_RECORD);
  return ({ device, epoch, seq }) => {
    deleteSegments.run({ device, epoch, seq });
    for (const statement of statements) statement.run({ device, epoch, seq });
  };
}
