import { asSealcamError } from './errors.js';
import type { Log } from './log.js';

/**
 * Runs work that an outside event set off, and logs an error, with its code and hint, instead of letting it end the
 * program. Returns whether the work succeeded.
 */
export function guard(log: Log, failure: string, work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    logFailure(log, failure, error);
    return false;
  }
}

/** Like {@link guard}, for work that returns a promise. */
export async function guardAsync(log: Log, failure: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    logFailure(log, failure, error);
    return false;
  }
}

function logFailure(log: Log, failure: string, error: unknown): void {
  const { code, message, hint } = asSealcamError(error);
  log.error({ code, hint }, `${failure}: ${message}`);
}
