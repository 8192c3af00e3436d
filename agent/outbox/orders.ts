import type { Command } from '../../protocol/objects/command.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { Outbox } from './outbox.js';

/** Orders that last until the next one of their kind, or until the ownership ends. */
export const STANDING = ['privacy', 'zones', 'sensitivity'] as const;
export type StandingAction = (typeof STANDING)[number];

export function isStanding(action: Command['action']): action is StandingAction {
  return STANDING.some((known) => known === action);
}

/** The last order of each kind, in the owner's own signed bytes. */
export function storedOrders(outbox: Outbox): readonly Uint8Array[] {
  return outbox.queries.orders.all().map(({ command }) => new Uint8Array(command));
}

/** Highest counter taken under the current claim; 0 before the first, null without an owner. */
export function lastCounter(outbox: Outbox): number | null {
  return outbox.queries.openEpoch.get()?.command_counter ?? null;
}

/** Inside a transaction of the caller's: the counter is used up, and a standing order takes the place of the one before. */
export function storeOrder(outbox: Outbox, { value, bytes }: Verified<Command>): void {
  outbox.queries.setCommandCounter.run(value.counter, value.epoch);
  if (isStanding(value.action)) outbox.queries.setOrder.run(value.action, bytes);
}
