import type { AnyCommand } from '../../protocol/objects/command.js';
import type { StandingOrderRow } from './queries.js';
import type { AnyRecord, RecordCommand, RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import { append } from './append.js';
import type { OutboxStore } from './store.js';

/** Orders that hold until the next one of their kind, or until the ownership ends. */
const STANDING = ['privacy', 'zones', 'sensitivity'] as const;
type StandingAction = (typeof STANDING)[number];

export function isStanding(action: AnyCommand['action']): action is StandingAction {
  return STANDING.some((known) => known === action);
}

/** What the camera answers to an order of the owner. */
export interface OrderAnswer {
  readonly command: Verified<AnyCommand>;
  readonly result: RecordCommand['result'];
  /** Why the order was refused or failed. */
  readonly code?: string | undefined;
  readonly time: RecordTime;
}

/** Returns the last order of each kind, in its signed bytes. */
export function standingOrders(store: OutboxStore): readonly StandingOrderRow[] {
  return store.queries.orders.all().map(({ command, account }) => ({
    command: new Uint8Array(command),
    account: account === null ? null : new Uint8Array(account),
  }));
}

/**
 * Returns the highest counter used under the current claim, in version 2 by this signer: 0 before the first order, null without
 * an owner.
 */
export function commandCounter(store: OutboxStore, signer: Uint8Array): number | null {
  const { queries } = store;
  const row = queries.openEpoch.get();
  if (row === undefined) return null;
  if (!isVersionTwo(store.claimIn(row).value)) return row.command_counter;
  return queries.signerCounter.get(row.epoch, signer)?.counter ?? 0;
}

function setCounter(store: OutboxStore, { value, kid }: Verified<AnyCommand>, counter: number): void {
  const { queries } = store;
  if (isVersionTwo(value)) queries.setSignerCounter.run({ epoch: value.epoch, signer: kid, counter });
  else queries.setCommandCounter.run(counter, value.epoch);
}

/** Uses up the counter of an order, and stores the order if it is a standing one. */
export function storeOrder(store: OutboxStore, command: Verified<AnyCommand>): void {
  store.transaction(() => {
    const { action, counter } = command.value;
    setCounter(store, command, counter);
    if (!isStanding(action)) return;
    const { account } = store.claimIn(store.signingEpoch()).value;
    store.queries.setOrder.run({ action, command: command.bytes, account });
  });
}

/** Records the answer to an order. Counter, order and answer change in one transaction; only a done order is stored. */
export function answerOrder(
  store: OutboxStore,
  { command, result, code, time }: OrderAnswer,
): Verified<AnyRecord> | null {
  return store.transaction(() => {
    const { action, counter: own } = command.value;
    const counter = Math.max(commandCounter(store, command.kid) ?? 0, own);
    if (result === 'done') storeOrder(store, command);
    setCounter(store, command, counter);
    return append(store, {
      kind: 'command',
      time,
      command: {
        source: 'owner',
        action,
        result,
        object: command.hash,
        counter,
        ...(isVersionTwo(command.value) ? { signer: command.kid } : {}),
        ...(code === undefined ? {} : { code }),
      },
    });
  });
}
