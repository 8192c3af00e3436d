import type { AnyCommand } from '../../protocol/objects/command.js';
import type { AnyRecord, RecordCommand, RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import { append } from './append.js';
import type { OutboxStore, SealedMedia } from './store.js';

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
  /** Whether the order is stored already, and only its answer was still due. */
  readonly isStored?: boolean;
  /** Returns the answer's sealed detail, or null for none. It is called when the order is stored, in the same transaction. */
  readonly detail?: () => SealedMedia | null;
}

/** An order that stands, in its signed bytes. */
export interface StandingOrder {
  readonly command: Uint8Array;
  /** The account under which it was taken; null if an earlier version took it. */
  readonly account: Uint8Array | null;
  /** When it was taken, UTC by the camera's clock; null where that is not known. */
  readonly wallMs: number | null;
}

/** Returns the last order of each kind. */
export function standingOrders(store: OutboxStore): readonly StandingOrder[] {
  return store.queries.orders.all().map(({ command, account, wall_ms: wallMs }) => ({
    command: new Uint8Array(command),
    account: account === null ? null : new Uint8Array(account),
    wallMs,
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

/** Uses up the counter of an order, and stores the order with the time of now if it is a standing one. */
export function storeOrder(store: OutboxStore, command: Verified<AnyCommand>, { wallMs }: RecordTime): void {
  store.transaction(() => {
    const { action, counter } = command.value;
    setCounter(store, command, counter);
    if (!isStanding(action)) return;
    const { account } = store.claimIn(store.signingEpoch()).value;
    store.queries.setOrder.run({ action, command: command.bytes, account, wallMs });
  });
}

/** Records the answer to an order. Counter, order and answer change in one transaction; only a done order is stored. */
export function answerOrder(
  store: OutboxStore,
  { command, result, code, time, isStored = false, detail }: OrderAnswer,
): Verified<AnyRecord> | null {
  return store.transaction(() => {
    const { action, counter: own } = command.value;
    const counter = Math.max(commandCounter(store, command.kid) ?? 0, own);
    if (result === 'done' && !isStored) storeOrder(store, command, time);
    setCounter(store, command, counter);
    const answer: NonNullable<AnyRecord['command']> = {
      source: 'owner',
      action,
      result,
      object: command.hash,
      counter,
      ...(isVersionTwo(command.value) ? { signer: command.kid } : {}),
      ...(code === undefined ? {} : { code }),
    };
    const media = detail?.() ?? null;
    return append(store, { kind: 'command', time, command: answer }, media === null ? [] : [media]);
  });
}
