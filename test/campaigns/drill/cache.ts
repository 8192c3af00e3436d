import { sleep, type Clock } from '../../../common/clock.js';
import type { Random } from '../../../common/random.js';

export interface CacheSettings {
  /** Time of an answer that the cache holds. */
  readonly hitMs: number;
  /** Time of an answer that is read from the database first, as after an outage. */
  readonly missMs: number;
  /** Number of pending requests from which on some time out. */
  readonly crowded: number;
  /** Share of requests that then time out, and are sent again. */
  readonly givenUp: number;
  /** Pending requests before which a cache that holds nothing answers none. */
  readonly heldUntil: number;
}

/**
 * Returns settings of a client that works on an ordinary day of such a fleet, on which no request waits long enough to be given up,
 * however slow the machine. A cold cache waits for a busy database, which answers nothing before a crowd waits: one that needed the
 * cameras to come at the same time would be right on a slow machine.
 */
export function cacheSettings(cameras: number, isCold: boolean): CacheSettings {
  const hitMs = 2;
  const crowded = Math.max(6, Math.round(cameras / 8));
  // No more than surely come: one request of ingest and one of the control for each camera.
  return isCold
    ? { hitMs, missMs: 1500, crowded, givenUp: 0.2, heldUntil: Math.min(4 * crowded, 2 * cameras) }
    : { hitMs, missMs: hitMs, crowded, givenUp: 0, heldUntil: 0 };
}

interface Request {
  readonly key: string;
  readonly readyAtMs: number;
}

interface Waiter<V> {
  readonly key: string;
  readonly resolve: (value: V | undefined) => void;
  readonly reject: (error: unknown) => void;
  isLate: boolean;
}

/**
 * A caching client whose callers share one connection. Requests are pipelined and answered in order, so answers carry no
 * key: each one goes to the caller that has waited longest. Its bug is one that real clients have had: a request that times
 * out leaves the list of waiting callers, but its answer still arrives, and from then on each answer goes to the wrong
 * caller, until no request is pending. With few concurrent requests it is always right.
 */
export class CrossingCache<V> {
  /** Answers that were given to a caller of another key. */
  crossed = 0;
  asked = 0;
  private readonly deps: {
    readonly clock: Clock;
    readonly random: Random;
    readonly settings: CacheSettings;
    /** Reads a key that the cache does not hold. */
    readonly load: (key: string) => Promise<V | undefined>;
  };
  private readonly held = new Map<string, V>();
  /** Pending requests, in order. */
  private readonly wire: Request[] = [];
  private waiters: Waiter<V>[] = [];
  private isServing = false;
  private hasGivenUp = false;

  constructor(deps: CrossingCache<V>['deps']) {
    this.deps = deps;
  }

  get(key: string): Promise<V | undefined> {
    const { settings } = this.deps;
    this.asked++;
    return new Promise((resolve, reject) => {
      const isLate = this.waiters.length >= settings.crowded && this.isGivenUp();
      this.send({ key, resolve, reject, isLate });
      const isHeldBack = this.held.size === 0 && this.wire.length < settings.heldUntil;
      if (!this.isServing && !isHeldBack) void this.serve();
    });
  }

  /** Requests that wait for an answer. */
  get pending(): number {
    return this.waiters.length;
  }

  /** Forgets what it holds, as after an outage. */
  chill(): void {
    this.held.clear();
  }

  /** The first that finds a crowd before it surely is. */
  private isGivenUp(): boolean {
    const { random, settings } = this.deps;
    const isFirst = !this.hasGivenUp && settings.givenUp > 0;
    const isGivenUp = random.uniform() < settings.givenUp || isFirst;
    this.hasGivenUp ||= isGivenUp;
    return isGivenUp;
  }

  private send(waiter: Waiter<V>): void {
    const { clock, settings } = this.deps;
    const { key } = waiter;
    const readyAtMs = clock.monotonicMs() + (this.held.has(key) ? settings.hitMs : settings.missMs);
    this.wire.push({ key, readyAtMs });
    this.waiters.push(waiter);
  }

  private async serve(): Promise<void> {
    const { clock } = this.deps;
    this.isServing = true;
    for (let next = this.wire[0]; next !== undefined; next = this.wire[0]) {
      // An answer that is ready waits for the answers before it.
      const waitMs = next.readyAtMs - clock.monotonicMs();
      if (waitMs > 0) await sleep(clock, waitMs);
      this.timeOutLate();
      this.wire.shift();
      await this.deliver(next.key);
    }
    this.isServing = false;
  }

  /** The bug: a request that times out should keep its place in the list, for the answer that still arrives. */
  private timeOutLate(): void {
    const late = this.waiters.filter(({ isLate }) => isLate);
    if (late.length === 0) return;
    this.waiters = this.waiters.filter(({ isLate }) => !isLate);
    for (const waiter of late) this.send({ ...waiter, isLate: false });
  }

  private async deliver(key: string): Promise<void> {
    try {
      const value = this.held.get(key) ?? (await this.deps.load(key));
      if (value !== undefined) this.held.set(key, value);
      const waiter = this.waiters.shift();
      if (waiter !== undefined && waiter.key !== key) this.crossed++;
      waiter?.resolve(value);
    } catch (error) {
      this.waiters.shift()?.reject(error);
    }
  }
}
