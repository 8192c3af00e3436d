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
