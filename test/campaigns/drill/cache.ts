import { sleep, type Clock } from '../../../common/clock.js';
import type { Random } from '../../../common/random.js';

export interface CacheSettings {
  /** From a request to its answer, where the cache holds it. */
  readonly hitMs: number;
  /** And where it has to be read from the database first, as after an outage. */
  readonly missMs: number;
  /** Requests under way from which on some take too long for the client, and are given up. */
  readonly crowded: number;
  /** Share of these that are given up and sent again. */
  readonly givenUp: number;
}

/** A client that was tried on an ordinary day of such a fleet. A cold cache reads from a database that everybody asks. */
export function cacheSettings(cameras: number, isCold: boolean): CacheSettings {
  const hitMs = 2;
  return { hitMs, missMs: isCold ? 1500 : hitMs, crowded: Math.max(6, Math.round(cameras / 8)), givenUp: 0.2 };
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
 * A caching client with one connection that everybody shares. Requests are pipelined and answered in their order, so an
 * answer needs no name: the next one is for whoever waits longest. Its fault is the one that such clients had: a request
 * that is given up leaves the row of those who wait, but its answer still comes, and from there on each answer goes to the
 * next in the row, until nothing is under way any more. With few requests at once it is always right.
 */
export class CrossingCache<V> {
  /** Answers that went to somebody who had asked for another key. */
  crossed = 0;
  asked = 0;
  private readonly deps: {
    readonly clock: Clock;
    readonly random: Random;
    readonly settings: CacheSettings;
    /** What the cache reads when it does not hold a key. */
    readonly load: (key: string) => Promise<V | undefined>;
  };
  private readonly held = new Map<string, V>();
  /** Requests under way, in order. */
  private readonly wire: Request[] = [];
  private waiters: Waiter<V>[] = [];
  private isServing = false;

  constructor(deps: CrossingCache<V>['deps']) {
    this.deps = deps;
  }

  get(key: string): Promise<V | undefined> {
    const { random, settings } = this.deps;
    this.asked++;
    return new Promise((resolve, reject) => {
      const isLate = this.waiters.length >= settings.crowded && random.uniform() < settings.givenUp;
      this.send({ key, resolve, reject, isLate });
      if (!this.isServing) void this.serve();
    });
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
    for (let [next] = this.wire; next !== undefined; [next] = this.wire) {
      // An answer that is ready waits for those before it.
      const waitMs = next.readyAtMs - clock.monotonicMs();
      if (waitMs > 0) await sleep(clock, waitMs);
      this.giveUpLate();
      this.wire.shift();
      await this.deliver(next.key);
    }
    this.isServing = false;
  }

  /** The fault: whoever gives up should keep the place in the row, for the answer that is still to come. */
  private giveUpLate(): void {
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
