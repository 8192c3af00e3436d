import { equal } from '../../common/bytes.js';
import { atMost, type Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError } from '../../common/errors.js';
import { guard } from '../../common/guard.js';
import type { Log } from '../../common/log.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import type { AnyCommand } from '../../protocol/objects/command.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { Outbox, SealedMedia } from '../outbox/outbox.js';
import type { StandingOrders } from './standing-orders.js';

/** Seals what is in force. */
export interface InForceSealer {
  /** Returns it sealed, under these orders; null while nothing can be sealed. */
  readonly seal: (claim: Verified<AnyClaim>, orders: StandingOrders) => SealedMedia | null;
  readonly isReady: (claim: Verified<AnyClaim>) => boolean;
  /** Resolves when something can be sealed: false if the claim is no longer in force, or the camera stops. */
  readonly ready: (claim: Verified<AnyClaim>) => Promise<boolean>;
}

export interface SealedAnswersDependencies {
  readonly outbox: Outbox;
  readonly sealer: InForceSealer;
  /** Returns the orders as the outbox has them now. */
  readonly standing: () => StandingOrders;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly now: () => RecordTime;
}

/** How long an answer waits for the first period after a start. The page waits for the answer twice as long. */
const WAIT_MAX_MS = 10_000;
const WAITING_MAX = 16;

interface Waiting {
  readonly command: Verified<AnyCommand>;
  readonly claim: Verified<AnyClaim>;
}

/**
 * Carries out standing orders of version 2 and answers them with what is in force, sealed. While there is no period to seal in
 * the order is in force already and its answer waits, for a while; then it goes without, which is counted.
 */
export class SealedAnswers {
  private readonly deps: SealedAnswersDependencies;
  private readonly waiting = new Set<Waiting>();
  private work: Promise<unknown> = Promise.resolve();

  constructor(deps: SealedAnswersDependencies) {
    this.deps = deps;
  }

  /** Resolves when no answer waits any longer. */
  idle(): Promise<unknown> {
    return this.work;
  }

  /** Stores an order of the current claim, and answers it now or later. @throws SealcamError `store-full`, `store-unavailable` */
  carryOut(command: Verified<AnyCommand>, claim: Verified<AnyClaim>): void {
    const { outbox, sealer, clock, now } = this.deps;
    if (sealer.isReady(claim) || this.waiting.size >= WAITING_MAX) {
      this.answer({ command, claim }, false);
      return;
    }
    outbox.storeOrder(command, now());
    const item = { command, claim };
    this.waiting.add(item);
    const answered = atMost(clock, WAIT_MAX_MS, sealer.ready(claim)).finally(() => {
      this.finish(item);
    });
    this.work = Promise.allSettled([this.work, answered]);
  }

  /** Answers what waits without it. For a stop that cannot wait any longer. */
  abandon(): void {
    for (const item of [...this.waiting]) this.finish(item);
  }

  private finish(item: Waiting): void {
    if (!this.waiting.delete(item)) return;
    const { outbox, counters, log } = this.deps;
    const current = outbox.currentClaim();
    if (current === null || !equal(current.hash, item.claim.hash)) {
      // Its history has ended, and what was answered there is nobody's question any more.
      counters.add('answers.claim-changed');
      return;
    }
    guard(log, 'the answer to an order could not be recorded', () => {
      this.answer(item, true);
    });
  }

  private answer({ command, claim }: Waiting, isStored: boolean): void {
    const detail = (): SealedMedia | null => this.sealed(claim);
    this.deps.outbox.answerOrder({ command, result: 'done', time: this.deps.now(), isStored, detail });
  }

  private sealed(claim: Verified<AnyClaim>): SealedMedia | null {
    const { sealer, standing, counters, log } = this.deps;
    try {
      const media = sealer.seal(claim, standing());
      if (media !== null) return media;
    } catch (error) {
      const { code, message } = asSealcamError(error);
      log.error({ code }, `what is in force could not be sealed: ${message}`);
    }
    counters.add('answers.unsealed');
    return null;
  }
}
