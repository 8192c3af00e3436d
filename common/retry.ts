import { isAborted } from './abort.js';
import { sleep, type Clock } from './clock.js';
import type { Random } from './random.js';

export interface RetryOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Delay after the first failure. */
  readonly firstDelayMs: number;
  /** The delay doubles up to this. */
  readonly maxDelayMs: number;
  /** Multiplies each delay by a factor from 0.5 to 1.5, so that many callers do not return in the same second. */
  readonly jitter?: Random;
  /** Waits between two attempts; {@link sleep} if omitted. */
  readonly pause?: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Calls `attempt` until it returns something other than null, and returns that. Waits between two attempts; the delay
 * doubles, and restarts when an attempt calls `resetDelay` because it worked for a while. What `attempt` throws ends
 * the retries, so it catches and logs what is worth another attempt.
 * Returns null when the signal fires.
 */
export async function retrying<T>(
  { clock, signal, firstDelayMs, maxDelayMs, jitter, pause }: RetryOptions,
  attempt: (resetDelay: () => void) => Promise<T | null>,
): Promise<T | null> {
  let delayMs = firstDelayMs;
  const resetDelay = (): void => {
    delayMs = firstDelayMs;
  };
  while (!isAborted(signal)) {
    const result = await attempt(resetDelay);
    if (result !== null || isAborted(signal)) return result;
    const waitMs = jitter === undefined ? delayMs : delayMs * (0.5 + jitter.uniform());
    await (pause === undefined ? sleep(clock, waitMs, signal) : pause(waitMs, signal));
    delayMs = Math.min(maxDelayMs, delayMs * 2);
  }
  return null;
}
