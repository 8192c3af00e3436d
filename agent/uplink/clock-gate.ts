import type { CancelTimer, Clock } from '../../common/clock.js';

/** Without network time for this long a camera connects all the same, and judges certificates by the floor. */
export const CLOCK_WAIT_MAX_MS = 10 * 60_000;
const LOOK_EVERY_MS = 5000;

/** Calls `go` once, when the wall clock was set or the wait is over. */
export function whenClockSet(clock: Clock, isSet: () => boolean, go: (isSet: boolean) => void): CancelTimer {
  const endMs = clock.monotonicMs() + CLOCK_WAIT_MAX_MS;
  let cancel: CancelTimer = () => undefined;
  const look = (): void => {
    const known = isSet();
    if (known || clock.monotonicMs() >= endMs) go(known);
    else cancel = clock.after(LOOK_EVERY_MS, look);
  };
  look();
  return () => {
    cancel();
  };
}
