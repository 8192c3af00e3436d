import type { Clock } from '../../common/clock.js';
import { asSealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { retrying } from '../../common/retry.js';
import type { SerialLine } from '../../hal/peripherals.js';
import type { Console } from './console.js';

const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 30_000;

export interface KeepConsoleOptions {
  readonly openLine: () => Promise<SerialLine>;
  readonly attachConsole: (line: SerialLine) => Promise<Console>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Runs a console on a line that may be unplugged, and opens the line again when it closes, until the signal fires. */
export async function keepConsole({ openLine, attachConsole, clock, log, signal }: KeepConsoleOptions): Promise<void> {
  let lastCode = '';
  const options = { clock, signal, firstDelayMs: RETRY_FIRST_MS, maxDelayMs: RETRY_MAX_MS };
  await retrying(options, async (resetDelay) => {
    try {
      const line = await openLine();
      const ended = closedOrAborted(line, signal);
      const console = await attachConsole(line);
      console.start();
      resetDelay();
      lastCode = '';
      await ended;
      console.stop();
      await line.close();
    } catch (error) {
      const { code, message, hint } = asSealcamError(error);
      // Each reason is logged once, however long the line stays away.
      if (code !== lastCode) log.warn({ code, hint }, `no console: ${message}`);
      lastCode = code;
    }
    return null;
  });
}

function closedOrAborted(line: SerialLine, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      signal.removeEventListener('abort', finish);
      resolve();
    };
    line.onClose(finish);
    signal.addEventListener('abort', finish);
  });
}
