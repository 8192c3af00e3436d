import type { Command } from '../../protocol/objects/command.js';
import type { RecordCommand, RecordTime, SealcamRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { append } from './append.js';
import type { OutboxStore } from './store.js';

/** Orders that hold until the next one of their kind, or until the ownership ends. */
const STANDING = ['privacy', 'zones', 'sensitivity'] as const;
type StandingAction = (typeof STANDING)[number];

export function isStanding(action: Command['action']): action is StandingAction {
  return STANDING.some((known) => known === action);
}

/** What the camera answers to an order of the owner. */
export interface OrderAnswer {
  readonly command: Verified<Command>;
  readonly result: RecordCommand['result'];
  /** Why the order was refused or failed. */
  readonly code?: string | undefined;
  readonly time: RecordTime;
}

/** Returns the last order of each kind, in the owner's signed bytes. */
export function standingOrders(store: OutboxStore): readonly Uint8Array[] {
  return store.queries.orders.all().map(({ command }) => new Uint8Array(command));
}

/** Returns the highest counter used under the current claim: 0 before the first order, null without an owner. */
export function commandCounter(store: OutboxStore): number | null {
  return store.queries.openEpoch.get()?.command_counter ?? null;
}

/** Uses up the counter of an order, and stores the order if it is a standing one. */
export function storeOrder(store: OutboxStore, { value, bytes }: Verified<Command>): void {
  store.transaction(() => {
    store.queries.setCommandCounter.run(value.counter, value.epoch);
    if (isStanding(value.action)) store.queries.setOrder.run(value.action, bytes);
  });
}

/** Records the answer to an order. Counter, order and answer change in one transaction; only a done order is stored. */
export function answerOrder(
  store: OutboxStore,
  { command, result, code, time }: OrderAnswer,
): Verified<SealcamRecord> | null {
  return store.transaction(() => {
    const { action, counter: own, epoch } = command.value;
    const counter = Math.max(commandCounter(store) ?? 0, own);
    if (result === 'done') storeOrder(store, command);
    store.queries.setCommandCounter.run(counter, epoch);
    return append(store, {
      kind: 'command',
      time,
      command: {
        source: 'owner',
        action,
        result,
        object: command.hash,
        counter,
        ...(code === undefined ? {} : { code }),
      },
    });
  });
}
