import type { Outbox } from '../../agent/outbox/outbox.js';
import { OutboxStore } from '../../agent/outbox/store.js';

/**
 * Returns the database behind an outbox, which the agent cannot reach: for tests that check its rows, damage it, or stop inside a
 * transaction.
 */
export function storeOf(outbox: Outbox): OutboxStore {
  const store: unknown = Reflect.get(outbox, 'store');
  if (!(store instanceof OutboxStore)) throw new Error('an outbox without its store');
  return store;
}

/** A control: the outbox then drops key records by size, age and reject, like any other record. */
export function dropKeys(outbox: Outbox): void {
  const { queries } = storeOf(outbox);
  const { database } = queries.device;
  const never = database.prepare('SELECT 1 WHERE ? < 0 AND ? < 0');
  Object.assign(queries, {
    oldestDroppable: database.prepare('SELECT * FROM record WHERE seq > 0 ORDER BY epoch, seq LIMIT 1'),
    oldestDroppableMedia: queries.oldestMedia,
    isKeptKey: never,
    isNeededKey: never,
  });
}
