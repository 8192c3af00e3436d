import { equal, toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Log } from '../../common/log.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { Claim } from '../../protocol/objects/claim.js';
import { commandKind, type Command, type Zone } from '../../protocol/objects/command.js';
import type { RecordCommand, RecordTime } from '../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../protocol/objects/signed-object.js';
import type { Mirror } from '../outbox/mirror.js';
import { isStanding, lastCounter, storedOrders, storeOrder } from '../outbox/orders.js';
import type { Outbox } from '../outbox/outbox.js';

/** What the owner ordered last; null where the configuration decides. */
export interface StandingOrders {
  readonly privacy: boolean;
  readonly zones: readonly Zone[] | null;
  readonly sensitivity: number | null;
}

export interface OwnerOrdersDependencies {
  readonly suite: CryptoSuite;
  readonly outbox: Outbox;
  readonly mirror: Mirror;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly now: () => RecordTime;
  /** Records a picture of now. */
  readonly snapshot: () => Promise<void>;
  /** A standing order changed. */
  readonly onOrders: (orders: StandingOrders) => void;
  readonly onRelease: () => void;
  /** A result waits to be sent. */
  readonly onRecorded: () => void;
}

/** An order that comes too late is answered this often at most: a cloud could play old ones for ever. */
const REPLAY_ANSWER_MS = 60_000;

/**
 * Takes what the owner orders, through a cloud that is not trusted to have kept it fresh, whole or once.
 * Whatever is not the owner's own word for this claim is counted and nothing else; the owner's own is answered in a record.
 */
export class OwnerOrders {
  private readonly deps: OwnerOrdersDependencies;
  private orders: StandingOrders;
  private answeredReplayAtMs = -Infinity;
  private work: Promise<void> = Promise.resolve();

  constructor(deps: OwnerOrdersDependencies) {
    this.deps = deps;
    this.orders = this.stored();
  }

  get standing(): StandingOrders {
    return this.orders;
  }

  /** Resolves when every picture ordered so far is taken. */
  idle(): Promise<void> {
    return this.work;
  }

  /** Another claim or none: what the one before ordered may be gone. */
  ownerChanged(): void {
    this.applyStanding(this.stored());
  }

  /** Untrusted bytes. @throws SealcamError for what is not the owner's: `malformed`, `bad-signature`, `command-refused`, … */
  handleCommand(bytes: Uint8Array): void {
    const command = openSigned(commandKind, this.deps.suite, bytes);
    const claim = this.deps.outbox.currentClaim();
    checkOwner(command, claim);
    const last = lastCounter(this.deps.outbox) ?? 0;
    if (command.value.counter <= last) {
      this.answerReplay(command, last);
      throw new SealcamError(
        'command-replayed',
        `counter ${String(command.value.counter)} is not above ${String(last)}`,
      );
    }
    const stale = this.staleness(command.value);
    if (stale !== null) {
      this.answer(command, 'refused', 'command-stale');
      throw new SealcamError('command-stale', stale);
    }
    this.execute(command);
  }

  private execute(command: Verified<Command>): void {
    const { outbox, mirror, log, onRelease } = this.deps;
    const { action, privacy } = command.value;
    log.info({ action, command: toHex(command.hash).slice(0, 16) }, "an order of the owner's");
    if (action === 'release') {
      // The tombstone is the answer: everything else is erased.
      onRelease();
    } else if (isStanding(action)) {
      this.answer(command, 'done');
      if (action === 'privacy') mirror.notePrivacy(privacy === true);
      this.applyStanding(this.stored());
    } else {
      // Used up before it is followed, so that nothing makes the camera look twice.
      outbox.transaction(() => {
        storeOrder(outbox, command);
      });
      this.work = this.work.then(() => this.snapshot(command));
    }
  }

  private async snapshot(command: Verified<Command>): Promise<void> {
    const { log, counters, snapshot } = this.deps;
    try {
      await snapshot();
      this.answer(command, 'done');
    } catch (error) {
      const { code, message } = asSealcamError(error);
      counters.add(`command.${code}`);
      log.warn({ code }, `a picture that the owner ordered could not be taken: ${message}`);
      this.answerFailure(command, code);
    }
  }

  /** Counter, order and answer are one transaction. */
  private answer(command: Verified<Command>, result: 'done' | 'refused' | 'failed', code?: string): void {
    const { outbox, now, onRecorded } = this.deps;
    outbox.transaction(() => {
      const last = lastCounter(outbox) ?? 0;
      const counter = Math.max(last, command.value.counter);
      if (result === 'done') storeOrder(outbox, command);
      outbox.queries.setCommandCounter.run(counter, command.value.epoch);
      outbox.append({ kind: 'command', time: now(), command: answerTo(command, result, counter, code) });
    });
    onRecorded();
  }

  private answerFailure(command: Verified<Command>, code: string): void {
    try {
      this.answer(command, code === 'privacy-mode' ? 'refused' : 'failed', code);
    } catch (error) {
      this.deps.log.error({ code: asSealcamError(error).code }, 'the answer to an order could not be recorded');
    }
  }

  /** Two browsers of one owner may have clocks apart: the answer says which counter the next order must exceed. */
  private answerReplay(command: Verified<Command>, last: number): void {
    const { clock, outbox, now, onRecorded } = this.deps;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.answeredReplayAtMs < REPLAY_ANSWER_MS) return;
    this.answeredReplayAtMs = nowMs;
    outbox.append({ kind: 'command', time: now(), command: answerTo(command, 'refused', last, 'command-replayed') });
    onRecorded();
  }

  /** Why an order is too old to be followed; null if it is not. */
  private staleness({ epoch, recent }: Command): string | null {
    // Only privacy-on and release name no record: they make the camera see less, whenever they come.
    if (recent === undefined) return null;
    const [seq, hash] = recent;
    const ageMs = this.deps.outbox.recent.ageMs(epoch, seq, hash, this.deps.clock.monotonicMs());
    if (ageMs === null) return `record ${String(seq)} is not one that this camera made since it started`;
    return ageMs <= LIMITS.commandMaxAgeMs ? null : `record ${String(seq)} is older than half an hour`;
  }

  private applyStanding(orders: StandingOrders): void {
    this.orders = orders;
    this.deps.onOrders(orders);
  }

  /** From the owner's signed orders; what a damaged queue forgot of privacy, the mirror still knows. */
  private stored(): StandingOrders {
    const { suite, outbox, mirror } = this.deps;
    const owner = outbox.currentClaim()?.value.ownerKey;
    let orders: StandingOrders = { privacy: owner !== undefined && mirror.isPrivate, zones: null, sensitivity: null };
    for (const bytes of storedOrders(outbox)) {
      const { value, kid } = openSigned(commandKind, suite, bytes);
      if (owner === undefined || !equal(kid, owner)) continue;
      orders = {
        privacy: orders.privacy || value.privacy === true,
        zones: value.zones ?? orders.zones,
        sensitivity: value.sensitivity ?? orders.sensitivity,
      };
    }
    return orders;
  }
}

function checkOwner({ value, kid }: Verified<Command>, claim: Verified<Claim> | null): void {
  const isOwner =
    claim !== null &&
    equal(kid, claim.value.ownerKey) &&
    equal(value.device, claim.value.device) &&
    value.epoch === claim.value.epoch &&
    equal(value.claimHash, claim.hash);
  if (!isOwner) throw new SealcamError('command-refused', 'an order that is not of this ownership');
}

function answerTo(
  command: Verified<Command>,
  result: RecordCommand['result'],
  counter: number,
  code?: string,
): RecordCommand {
  const { action } = command.value;
  return {
    source: 'owner',
    action,
    result,
    object: command.hash,
    counter,
    ...(code === undefined ? {} : { code }),
  };
}
