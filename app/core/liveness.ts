import { sleep, type Clock } from '../../common/clock.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';

/** Interval of the pings in the cloud's stream (cloud/api/stream-routes.ts). */
const PING_INTERVAL_MS = 15_000;
/** A connection is dead once nothing has arrived on it for this long: two pings are missing. */
export const SILENCE_MAX_MS = 2 * PING_INTERVAL_MS;
/** Longest wait for a sign of life when the page becomes visible again. */
const PROBE_MAX_MS = 5000;

interface Wait {
  readonly monotonicMs: number;
  readonly wallMs: number;
  readonly limitMs: number;
  readonly fail: (error: SealcamError) => void;
}

/**
 * Knows whether the cloud is still there. A dead connection looks like a quiet one: no error comes, only nothing. So whatever
 * the page waits for from the cloud has a limit, and what the browser says of its network ends the wait at once.
 */
export class Liveness {
  private readonly clock: Clock;
  private readonly waits = new Set<Wait>();
  private readonly sleepers = new Set<AbortController>();
  private heardMs: number | null = null;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** When something last came from the cloud, UTC; null before. */
  get heardAtMs(): number | null {
    return this.heardMs;
  }

  /**
   * Resolves as `work` does, unless nothing comes within the limit or the connection is dropped meanwhile.
   *
   * @param limitMs infinite where only a dropped connection ends the wait
   * @throws SealcamError `cloud-unreachable`, and what `work` throws
   */
  async within<T>(work: Promise<T>, limitMs = SILENCE_MAX_MS): Promise<T> {
    let fail = (_error: SealcamError): void => undefined;
    const failed = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    const wait: Wait = { monotonicMs: this.clock.monotonicMs(), wallMs: this.clock.wallMs(), limitMs, fail };
    this.waits.add(wait);
    const cancel = Number.isFinite(limitMs)
      ? this.clock.after(limitMs, () => {
          fail(silence(limitMs));
        })
      : null;
    try {
      const result = await Promise.race([work, failed]);
      this.heardMs = this.clock.wallMs();
      return result;
    } finally {
      cancel?.();
      this.waits.delete(wait);
    }
  }

  /** Ends every wait: the browser says that this device has no network. */
  networkLost(): void {
    this.drop(
      new SealcamError('cloud-unreachable', 'this device is offline', {
        hint: 'The page continues by itself once the network is back.',
      }),
    );
  }

  /** Ends the pause before the next attempt: the network is back, or something else has changed. */
  retryNow(): void {
    for (const sleeper of [...this.sleepers]) sleeper.abort();
  }

  /**
   * Finds out whether the cloud is there, after the page was hidden. Browsers stop a hidden page's timers, so a limit may
   * have passed unnoticed, and a connection may have died in between.
   *
   * @param probe asks the cloud for anything
   */
  async check(probe: () => Promise<unknown>): Promise<void> {
    for (const wait of [...this.waits]) if (this.ageMs(wait) > wait.limitMs) this.end(wait, silence(wait.limitMs));
    this.retryNow();
    if (this.waits.size === 0) return;
    try {
      await this.within(probe(), PROBE_MAX_MS);
    } catch (error) {
      this.drop(asSealcamError(error));
    }
  }

  /** Waits before the next attempt, until the delay has passed or {@link retryNow} is called. */
  async pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const sleeper = new AbortController();
    const stop = (): void => {
      sleeper.abort();
    };
    this.sleepers.add(sleeper);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    await sleep(this.clock, delayMs, sleeper.signal);
    signal.removeEventListener('abort', stop);
    this.sleepers.delete(sleeper);
  }

  private drop(error: SealcamError): void {
    for (const wait of [...this.waits]) this.end(wait, error);
  }

  private end(wait: Wait, error: SealcamError): void {
    this.waits.delete(wait);
    wait.fail(error);
  }

  /** The larger of both clocks: a device that slept may have stopped the monotonic one. */
  private ageMs({ monotonicMs, wallMs }: Wait): number {
    return Math.max(this.clock.monotonicMs() - monotonicMs, this.clock.wallMs() - wallMs);
  }
}

function silence(limitMs: number): SealcamError {
  const seconds = String(Math.round(limitMs / 1000));
  return new SealcamError('cloud-unreachable', `nothing was heard from the cloud for ${seconds} seconds`, {
    hint: 'The network or the cloud is down.',
  });
}
