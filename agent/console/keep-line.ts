import { isAborted } from '../../common/abort.js';
import { sleep, type Clock } from '../../common/clock.js';
import { asSealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { SerialLine } from '../../hal/peripherals.js';
import type { Console } from './console.js';

const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 30_000;

/** Keeps a console on a line that may be unplugged: opens it, waits for its end, opens it again with growing patience. */
export async function keepConsole(
  open: () => Promise<SerialLine>,
  attach: (line: SerialLine) => Console,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  let retryMs = RETRY_FIRST_MS;
  let lastCode = '';
  while (!signal.aborted) {
    try {
      const line = await open();
      const console = attach(line);
      const ended = new Promise<void>((resolve) => {
        line.onClose(resolve);
        signal.addEventListener('abort', () => {
          resolve();
        });
      });
      console.start();
      retryMs = RETRY_FIRST_MS;
      lastCode = '';
      await ended;
      console.stop();
      await line.close();
    } catch (error) {
      const { code, message, hint } = asSealcamError(error);
      // A line that stays away is said once.
      if (code !== lastCode) log.warn({ code, hint }, `no console: ${message}`);
      lastCode = code;
    }
    if (isAborted(signal)) return;
    await sleep(clock, retryMs, signal);
    retryMs = Math.min(RETRY_MAX_MS, retryMs * 2);
  }
}
