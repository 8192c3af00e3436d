import type { CancelTimer, Clock } from '../../common/clock.js';
import { Lru } from '../../common/lru.js';

/** What waits to be sent to one browser. */
export interface Queued {
  /** The push service, as `URL.host` writes it. */
  readonly host: string;
  /** The subscription. */
  readonly name: string;
  /** What it is about: a later one of the same subscription replaces one that waits. */
  readonly topic: string;
  /** Time after which it is not sent any more, on the monotonic clock. */
  readonly untilMs: number;
}

/** What came of sending one: `host` and `subscription` say who is left alone for the time. */
export type Sent = { readonly again: 'no' } | { readonly again: 'host' | 'subscription'; readonly afterMs: number };

export type DropReason = 'queue-full' | 'replaced' | 'rate' | 'late';

export interface OutgoingDependencies<D> {
  readonly clock: Clock;
  /** Messages a second of this process. */
  readonly perSecond: number;
  /** Sends one; must not reject. */
  readonly send: (delivery: D) => Promise<Sent>;
  readonly onDropped: (reason: DropReason) => void;
}

interface Host {
  readonly waiting: Map<string, Queued>;
  running: number;
  /** Nothing is sent to it before, on the monotonic clock. */
  fromMs: number;
}

const QUEUE_MAX = 20_000;
const RUNNING_MAX = 64;
/** One service that stalls leaves the others room. */
const RUNNING_PER_HOST_MAX = 48;
const SUBSCRIPTIONS_REMEMBERED_MAX = 50_000;
/** Of one subscription. A camera that sees motion all the time says so often enough. */
const PER_MINUTE_MAX = 20;
const MINUTE_MS = 60_000;

/**
 * Sends what is due at a bounded rate, side by side and in turn for each push service. What waits is bounded, is replaced by
 * what is newer of the same topic, and is dropped once it is late; each drop is counted.
 */
export class Outgoing<D extends Queued> {
  private readonly deps: OutgoingDependencies<D>;
  private readonly hosts = new Map<string, Host>();
  /** What waits for a later time, by subscription and topic. */
  private readonly delays = new Map<string, CancelTimer>();
  private readonly quietUntil = new Lru<string, number>(SUBSCRIPTIONS_REMEMBERED_MAX);
  private readonly used = new Lru<string, { readonly minute: number; readonly count: number }>(
    SUBSCRIPTIONS_REMEMBERED_MAX,
  );
  private waiting = 0;
  private running = 0;
  private tokens: number;
  private filledMs: number;
  private cancelPump: CancelTimer = () => undefined;
  private isOver = false;

  constructor(deps: OutgoingDependencies<D>) {
    this.deps = deps;
    this.tokens = deps.perSecond;
    this.filledMs = deps.clock.monotonicMs();
  }

  /** What waits, also for a later time. */
  get size(): number {
    return this.waiting + this.delays.size;
  }

  /** Push services that are remembered: of each something waits, is being sent, or asked to be left alone. */
  get hostsKnown(): number {
    return this.hosts.size;
  }

  /** Queues a message, to be sent after `delayMs` at the earliest. */
  add(delivery: D, delayMs = 0): void {
    if (this.isOver) return;
    if (this.isUsedUp(delivery.name)) this.deps.onDropped('rate');
    else this.put(delivery, delayMs);
  }

  /** Drops what waits. What is being sent goes on. */
  stop(): void {
    this.isOver = true;
    this.cancelPump();
    for (const cancel of this.delays.values()) cancel();
    this.delays.clear();
    this.hosts.clear();
    this.waiting = 0;
  }

  private put(delivery: D, delayMs: number): void {
    const { clock, onDropped } = this.deps;
    const nowMs = clock.monotonicMs();
    const waitMs = Math.max(delayMs, (this.quietUntil.get(delivery.name) ?? nowMs) - nowMs);
    const key = `${delivery.name}/${delivery.topic}`;
    if (nowMs + waitMs > delivery.untilMs) {
      onDropped('late');
      return;
    }
    const isReplacing = this.removeOlder(delivery.host, key, waitMs > 0);
    if (isReplacing) onDropped('replaced');
    else if (this.size >= QUEUE_MAX) {
      onDropped('queue-full');
      return;
    }
    if (waitMs > 0) this.delay(key, delivery, waitMs);
    else this.enqueue(key, delivery);
  }

  /**
   * Removes what waits for the same subscription about the same topic, unless the new one takes its turn; returns whether
   * something waits.
   */
  private removeOlder(host: string, key: string, losesTurn: boolean): boolean {
    const cancel = this.delays.get(key);
    cancel?.();
    const wasDelayed = this.delays.delete(key);
    const waiting = this.hosts.get(host)?.waiting;
    const wasWaiting = waiting?.has(key) === true;
    if (wasWaiting && losesTurn) {
      waiting.delete(key);
      this.waiting--;
    }
    return wasDelayed || wasWaiting;
  }

  private delay(key: string, delivery: D, waitMs: number): void {
    const cancel = this.deps.clock.after(waitMs, () => {
      this.delays.delete(key);
      this.put(delivery, 0);
    });
    this.delays.set(key, cancel);
  }

  private enqueue(key: string, delivery: D): void {
    const host = this.hosts.get(delivery.host) ?? { waiting: new Map<string, Queued>(), running: 0, fromMs: 0 };
    this.hosts.set(delivery.host, host);
    if (!host.waiting.has(key)) this.waiting++;
    host.waiting.set(key, delivery);
    this.pump();
  }

  private isUsedUp(name: string): boolean {
    const minute = Math.floor(this.deps.clock.monotonicMs() / MINUTE_MS);
    const last = this.used.get(name);
    const count = last?.minute === minute ? last.count + 1 : 1;
    this.used.set(name, { minute, count });
    return count > PER_MINUTE_MAX;
  }

  /** Starts what may be sent now. */
  private pump(): void {
    const { clock, perSecond } = this.deps;
    this.cancelPump();
    const nowMs = clock.monotonicMs();
    this.tokens = Math.min(perSecond, this.tokens + ((nowMs - this.filledMs) / 1000) * perSecond);
    this.filledMs = nowMs;
    while (this.running < RUNNING_MAX && this.tokens >= 1) {
      const next = this.next(nowMs);
      if (next === null) break;
      this.tokens--;
      void this.run(next.host, next.delivery);
    }
    if (this.waiting === 0 || this.running >= RUNNING_MAX) return;
    this.cancelPump = clock.after(this.waitMs(nowMs), () => {
      this.pump();
    });
  }

  /** Returns the next message of the host whose turn it is; null while nothing may be sent. */
  private next(nowMs: number): { readonly host: Host; readonly delivery: D } | null {
    for (const [name, host] of this.hosts) {
      if (host.running >= RUNNING_PER_HOST_MAX || host.fromMs > nowMs) continue;
      if (host.waiting.size === 0 && host.running === 0) {
        // What waited for it was dropped. Browsers name the hosts, and any number of them where a suffix is listed.
        this.hosts.delete(name);
        continue;
      }
      for (const [key, delivery] of host.waiting) {
        host.waiting.delete(key);
        this.waiting--;
        if (delivery.untilMs < nowMs) {
          this.deps.onDropped('late');
          continue;
        }
        this.hosts.delete(name);
        this.hosts.set(name, host);
        // Only what `add` took is in the queue.
        return { host, delivery: delivery as D };
      }
    }
    return null;
  }

  private waitMs(nowMs: number): number {
    const untilToken = this.tokens >= 1 ? 0 : ((1 - this.tokens) / this.deps.perSecond) * 1000;
    const due = [...this.hosts.values()].filter(({ waiting, running }) => {
      return waiting.size > 0 && running < RUNNING_PER_HOST_MAX;
    });
    const untilHost = Math.min(...due.map(({ fromMs }) => fromMs - nowMs));
    return Math.ceil(Math.max(1, untilToken, Number.isFinite(untilHost) ? untilHost : MINUTE_MS));
  }

  private async run(host: Host, delivery: D): Promise<void> {
    this.running++;
    host.running++;
    const sent = await this.deps.send(delivery);
    this.running--;
    host.running--;
    if (this.isOver) return;
    if (sent.again !== 'no') {
      const fromMs = this.deps.clock.monotonicMs() + sent.afterMs;
      if (sent.again === 'host') host.fromMs = Math.max(host.fromMs, fromMs);
      else this.quietUntil.set(delivery.name, fromMs);
      const key = `${delivery.name}/${delivery.topic}`;
      if (host.waiting.has(key) || this.delays.has(key)) this.deps.onDropped('replaced');
      else this.put(delivery, 0);
    }
    if (host.waiting.size === 0 && host.running === 0 && host.fromMs <= this.deps.clock.monotonicMs())
      this.hosts.delete(delivery.host);
    this.pump();
  }
}
