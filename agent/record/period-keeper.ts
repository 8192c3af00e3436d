import { equal } from '../../common/bytes.js';
import type { CancelTimer, Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { AnyClaim, ClaimV2 } from '../../protocol/objects/claim.js';
import { checkKemKeys } from '../../protocol/objects/kem-keys.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { WrapKey } from '../../protocol/seal/key-record.js';
import { beginPeriod, type Period } from '../../protocol/seal/period.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import type { Outbox } from '../outbox/outbox.js';
import { FreshRandom } from './fresh-random.js';

export interface PeriodKeeperDependencies {
  readonly suite: CryptoSuite;
  readonly random: Random;
  readonly clock: Clock;
  readonly outbox: Outbox;
  /** Does the public-key work, in a process that ends. */
  readonly wrap: WrapKey;
  readonly now: () => RecordTime;
  readonly counters: Counters;
  readonly log: Log;
}

/** From here on the next period is prepared while this one is in use. */
const PREPARE_AT_OBJECTS = 3500;
const PREPARE_AT_MS = 23 * 3_600_000;
/** A period is used no longer than this, on the monotonic clock. */
const PERIOD_MAX_MS = 24 * 3_600_000;
/** A camera that is not armed by then sees nothing, or nobody wants it to; its owner's orders need a period too. */
const ARMED_WITHIN_MS = 10_000;
const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 5 * 60_000;

interface Current {
  readonly claimHash: Uint8Array;
  readonly period: Period;
  readonly sinceMs: number;
}

interface Waiter {
  readonly claimHash: Uint8Array;
  readonly resolve: (period: Period | null) => void;
}

/**
 * Keeps the period in which a camera seals under a claim of version 2. A period begins with this process and with each claim, and
 * is replaced before it is used up. Its key record is in the outbox before anything is sealed; without one, nothing is sealed.
 */
export class PeriodKeeper {
  private readonly deps: PeriodKeeperDependencies;
  private readonly random: Random;
  private current: Current | null = null;
  private waiters: readonly Waiter[] = [];
  private isWorking = false;
  private isStopped = false;
  private retryMs = RETRY_MIN_MS;
  /** Null while no attempt waits for its turn. */
  private cancelRetry: CancelTimer | null = null;
  private cancelPrepare: CancelTimer = () => undefined;

  constructor(deps: PeriodKeeperDependencies) {
    this.deps = deps;
    this.random = new FreshRandom(deps.suite, deps.random);
  }

  /** Begins the first period as soon as the camera is armed: until then that would take half of a single core from its start. */
  start(): void {
    this.cancelPrepare = this.deps.clock.after(ARMED_WITHIN_MS, () => {
      this.armed();
    });
  }

  /** Begins a period, unless there is one. */
  armed(): void {
    if (this.current === null) this.begin();
  }

  /** Begins a period for the claim in force, and forgets that of an earlier one. Call it after each change. */
  ownerChanged(): void {
    const claim = this.deps.outbox.currentClaim();
    const isOld = ({ claimHash }: Pick<Current, 'claimHash'>): boolean =>
      claim === null || !equal(claimHash, claim.hash);
    if (this.current !== null && isOld(this.current)) this.forget();
    for (const { resolve } of this.waiters.filter(isOld)) resolve(null);
    this.waiters = this.waiters.filter((waiter) => !isOld(waiter));
    if (this.current === null) this.begin(true);
  }

  /** Begins another period: the cloud will never store the key record of this one. */
  renew(): void {
    this.forget();
    this.begin(true);
  }

  /** Returns the period in which something can be sealed for a claim now; null before it exists. */
  usable(claim: Verified<AnyClaim>): Period | null {
    const { current } = this;
    if (current === null || !equal(current.claimHash, claim.hash)) return null;
    const { period, sinceMs } = current;
    const ageMs = this.deps.clock.monotonicMs() - sinceMs;
    const isHere = this.deps.outbox.hasPeriod(claim.value.epoch, period.context.periodId);
    if (!isHere || period.isUsedUp || ageMs >= PERIOD_MAX_MS) {
      this.forget();
      this.begin();
      return null;
    }
    if (period.taken >= PREPARE_AT_OBJECTS) this.begin();
    return period;
  }

  /** Resolves with the period of a claim as soon as there is one; null if the claim is no longer in force, or at the stop. */
  ready(claim: Verified<AnyClaim>): Promise<Period | null> {
    const period = this.usable(claim);
    if (period !== null) return Promise.resolve(period);
    const inForce = this.deps.outbox.currentClaim();
    if (this.isStopped || inForce === null || !equal(inForce.hash, claim.hash)) return Promise.resolve(null);
    this.begin();
    return new Promise((resolve) => {
      this.waiters = [...this.waiters, { claimHash: claim.hash, resolve }];
    });
  }

  /** Forgets the keys, for good. */
  stop(): void {
    this.isStopped = true;
    this.cancelRetry?.();
    this.cancelPrepare();
    this.forget();
    for (const { resolve } of this.waiters) resolve(null);
    this.waiters = [];
  }

  private forget(): void {
    this.current?.period.wipe();
    this.current = null;
  }

  /** Makes a period in its own time, unless one is being made, or the last attempt failed a moment ago. */
  private begin(isAtOnce = false): void {
    if (isAtOnce) {
      this.cancelRetry?.();
      this.cancelRetry = null;
    }
    if (this.isWorking || this.isStopped || this.cancelRetry !== null) return;
    const { outbox, clock, counters, log } = this.deps;
    const claim = outbox.currentClaim();
    if (claim === null || !isVersionTwo(claim.value)) return;
    this.isWorking = true;
    this.make({ ...claim, value: claim.value })
      .then(
        () => {
          this.retryMs = RETRY_MIN_MS;
        },
        (error: unknown) => {
          const { code, message, hint } = asSealcamError(error);
          counters.add('periods.failed');
          log.error({ code, hint, retryMs: this.retryMs }, `no period key: ${message}`);
          if (this.isStopped) return;
          this.cancelRetry = clock.after(this.retryMs, () => {
            this.begin(true);
          });
          this.retryMs = Math.min(RETRY_MAX_MS, 2 * this.retryMs);
        },
      )
      .finally(() => {
        this.isWorking = false;
        // The claim changed meanwhile.
        if (this.current === null && this.cancelRetry === null) this.begin();
      });
  }

  private async make(claim: Verified<ClaimV2>): Promise<void> {
    const { suite, clock, outbox, wrap, now, counters } = this.deps;
    const { device, account, epoch } = claim.value;
    const recipients = outbox.storedClaim(epoch)?.kemKeys ?? [];
    checkKemKeys(suite, claim.value, recipients);
    const context = { device, account, epoch, claimHash: claim.hash };
    const { keyRecord, period } = await beginPeriod({ suite, random: this.random, context, recipients, wrap });
    let isUsed = false;
    try {
      if (this.isStopped) return;
      const record = outbox.appendKey({ ...keyRecord, mediaId: this.random.bytes(16) }, claim.hash, now());
      if (record === null) return;
      this.forget();
      this.current = { claimHash: claim.hash, period, sinceMs: clock.monotonicMs() };
      isUsed = true;
      // Also where nothing happens for a day: the event after it must not wait.
      this.cancelPrepare();
      this.cancelPrepare = clock.after(PREPARE_AT_MS, () => {
        this.begin();
      });
    } finally {
      if (!isUsed) period.wipe();
    }
    counters.add('periods.begun');
    const { waiters } = this;
    this.waiters = [];
    for (const { resolve } of waiters) resolve(period);
  }
}
