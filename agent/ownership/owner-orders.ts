import { equal, toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { guard } from '../../common/guard.js';
import type { Log } from '../../common/log.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import { anyCommandKind, seesLess, type AnyCommand } from '../../protocol/objects/command.js';
import type { RecordCommand, RecordTime } from '../../protocol/objects/record.js';
import { openSigned, versionOf, type Verified } from '../../protocol/objects/signed-object.js';
import { checkOrder, checkOrderCounter } from '../../protocol/verify/orders.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import type { Mirror } from '../outbox/mirror.js';
import { isStanding } from '../outbox/orders.js';
import type { Outbox } from '../outbox/outbox.js';
import { SealedAnswers, type InForceSealer } from './sealed-answers.js';
import { readStandingOrders, type StandingOrders } from './standing-orders.js';

export interface OwnerOrdersDependencies {
  readonly suite: CryptoSuite;
  readonly outbox: Outbox;
  readonly mirror: Mirror;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly now: () => RecordTime;
  readonly sealer: InForceSealer;
  /** Records a picture of now. */
  readonly snapshot: () => Promise<void>;
  /** A standing order, or the owner, changed. */
  readonly onOrders: (orders: StandingOrders) => void;
  readonly onRelease: () => void;
}

/** Least time between two answers to replayed orders: a cloud could replay old ones for ever. */
const REPLAY_ANSWER_INTERVAL_MS = 60_000;

/**
 * Executes the owner's signed commands. They come through a cloud that is not trusted to deliver them fresh, complete or
 * only once. A command of somebody who may give none under the current claim is counted and nothing else; every other is answered
 * in a record. In version 2 each of the owner's browsers gives orders with its own key, and has a counter of its own.
 */
export class OwnerOrders {
  private readonly deps: OwnerOrdersDependencies;
  private orders: StandingOrders;
  private answeredReplayAtMs = -Infinity;
  private work: Promise<void> = Promise.resolve();
  private readonly sealed: SealedAnswers;

  constructor(deps: OwnerOrdersDependencies) {
    this.deps = deps;
    this.orders = this.storedOrders();
    this.sealed = new SealedAnswers({ ...deps, standing: () => this.storedOrders() });
  }

  get standing(): StandingOrders {
    return this.orders;
  }

  /** Resolves when every snapshot ordered so far is taken, and no answer waits. */
  async idle(): Promise<void> {
    await Promise.all([this.work, this.sealed.idle()]);
  }

  /** Answers what waits for a key without one. For a stop that cannot wait any longer. */
  abandon(): void {
    this.sealed.abandon();
  }

  /** Reads the standing orders again after a claim, a release or a reset, which may have erased them. */
  ownerChanged(): void {
    this.applyStanding(this.storedOrders());
  }

  /**
   * Executes one command from the cloud: untrusted bytes.
   *
   * @throws SealcamError `malformed`, `bad-signature`, `command-refused` (not the owner's), `command-replayed`,
   *   `command-stale`, `store-full`, …
   */
  handleCommand(bytes: Uint8Array): void {
    const { suite, outbox } = this.deps;
    const command = openSigned(anyCommandKind, suite, bytes);
    const claim = outbox.currentClaim();
    if (claim === null) throw new SealcamError('command-refused', 'the camera has no owner');
    checkOrder(command, claim);
    this.checkCounter(command);
    const stale = this.staleness(command.value);
    if (stale !== null) {
      this.answer(command, 'refused', 'command-stale');
      throw new SealcamError('command-stale', stale);
    }
    this.execute(command, claim);
  }

  /** @throws SealcamError `command-replayed`, `command-ahead` */
  private checkCounter(command: Verified<AnyCommand>): void {
    const { outbox, now } = this.deps;
    const { value, kid } = command;
    try {
      checkOrderCounter(versionOf(value), value.counter, outbox.commandCounter(kid) ?? 0, now().wallMs);
    } catch (error) {
      const { code } = asSealcamError(error);
      // A counter that is far ahead is not used up: it would block what its signer orders later.
      if (code === 'command-replayed') this.answerReplay(command);
      throw error;
    }
  }

  private execute(command: Verified<AnyCommand>, claim: Verified<AnyClaim>): void {
    const { outbox, log, now, onRelease } = this.deps;
    const { action } = command.value;
    log.info({ action, command: toHex(command.hash).slice(0, 16) }, 'the owner sent an order');
    if (action === 'release') {
      // The tombstone is the answer: everything else is erased.
      onRelease();
    } else if (action === 'masks' || action === 'schedules') {
      this.answer(command, 'refused', 'unsupported');
    } else if (action === 'privacy') {
      this.changePrivacy(command);
    } else if (isStanding(action)) {
      if (isVersionTwo(claim.value)) this.sealed.carryOut(command, claim);
      else this.answer(command, 'done');
      this.applyStanding({ ...this.storedOrders(), privacy: this.orders.privacy });
    } else {
      // Its counter is used up before the picture is taken, so that the same order never takes two.
      outbox.storeOrder(command, now());
      this.work = this.work.then(() => this.snapshot(command));
    }
  }

  /** A disk that takes nothing must not keep a camera filming: privacy begins before it is stored, and the mirror needs no room. */
  private changePrivacy(command: Verified<AnyCommand>): void {
    const { mirror, log } = this.deps;
    if (command.value.privacy === true) {
      this.applyStanding({ ...this.orders, privacy: true });
      guard(log, 'the mirror does not have the privacy that the owner ordered', () => {
        mirror.notePrivacy(true);
      });
      this.answer(command, 'done');
    } else {
      this.answer(command, 'done');
      mirror.notePrivacy(false);
      this.applyStanding(this.storedOrders());
    }
  }

  private async snapshot(command: Verified<AnyCommand>): Promise<void> {
    const { log, counters, snapshot } = this.deps;
    try {
      await snapshot();
      this.answer(command, 'done');
    } catch (error) {
      const { code, message } = asSealcamError(error);
      counters.add(`command.${code}`);
      log.warn({ code }, `a snapshot that the owner ordered could not be taken: ${message}`);
      guard(log, 'the answer to an order could not be recorded', () => {
        this.answer(command, code === 'privacy-mode' ? 'refused' : 'failed', code);
      });
    }
  }

  private answer(command: Verified<AnyCommand>, result: RecordCommand['result'], code?: string): void {
    this.deps.outbox.answerOrder({ command, result, code, time: this.deps.now() });
  }

  /** Tells an owner whose browsers have clocks apart which counter the next order must exceed. */
  private answerReplay(command: Verified<AnyCommand>): void {
    const nowMs = this.deps.clock.monotonicMs();
    if (nowMs - this.answeredReplayAtMs < REPLAY_ANSWER_INTERVAL_MS) return;
    this.answeredReplayAtMs = nowMs;
    this.answer(command, 'refused', 'command-replayed');
  }

  /** Returns why an order is too old to be executed, null if it is not. */
  private staleness(command: AnyCommand): string | null {
    const { outbox, clock } = this.deps;
    const { epoch, recent } = command;
    if (recent === undefined) return 'it names no record';
    const [seq, hash] = recent;
    if (seesLess(command)) {
      const own = outbox.find({ epoch, seq });
      if (own !== null && !equal(own.hash, hash)) return `record ${String(seq)} is not the one that this camera made`;
      const since = outbox.healthSince({ epoch, seq });
      return since <= LIMITS.commandMaxHealth ? null : `record ${String(seq)} is older than two days`;
    }
    const ageMs = outbox.recordAgeMs({ epoch, seq }, hash, clock.monotonicMs());
    if (ageMs === null)
      return `record ${String(seq)} is not one that this camera made in the last half hour, since it started`;
    return ageMs <= LIMITS.commandMaxAgeMs ? null : `record ${String(seq)} is older than half an hour`;
  }

  private applyStanding(orders: StandingOrders): void {
    this.orders = orders;
    this.deps.onOrders(orders);
  }

  private storedOrders(): StandingOrders {
    const { suite, outbox, mirror } = this.deps;
    return readStandingOrders(suite, outbox, mirror);
  }
}
