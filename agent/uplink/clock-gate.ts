import type { CancelTimer, Clock } from '../../common/clock.js';

/**
 * How long a camera waits for network time. Then it connects anyway, and judges certificates by the last known time.
 */
export const CLOCK_WAIT_MAX_MS = 10 * 60_000;
const CLOCK_POLL_MS = 5000;

/** Calls `start` once, when the wall clock is set or the wait is over. */
export function whenClockSet(clock: Clock, isSet: () => boolean, start: (isSet: boolean) => void): CancelTimer {
  const endMs = clock.monotonicMs() + CLOCK_WAIT_MAX_MS;
  let cancel: CancelTimer = () => undefined;
  const poll = (): void => {
    const isSetNow = isSet();
    if (isSetNow || clock.monotonicMs() >= endMs) start(isSetNow);
    else cancel = clock.after(CLOCK_POLL_MS, poll);
  };
  poll();
  return () => {
    cancel();
  };
}
