/** A timer that can be called off; calling it off twice is allowed. */
export type CancelTimer = () => void;

/**
 * Time as a parameter. Only the composition roots hand out the real one, so that one seed can replay a whole world.
 */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back, unaffected by the wall clock being set. */
  monotonicMs(): number;
  /** Milliseconds since 1970-01-01T00:00:00Z, whatever the system believes it to be. */
  wallMs(): number;
  /** Runs `callback` once after `delayMs`. */
  readonly after: (delayMs: number, callback: () => void) => CancelTimer;
}

/** Resolves after `delayMs`, or at once (without an error) when the signal fires. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const finish = (): void => {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(delayMs, finish);
    signal?.addEventListener('abort', finish, { once: true });
  });
}

/** Waits for work, but no longer than this; what is late goes on without anybody waiting. True if it was done in time. */
export async function atMost(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<boolean> {
  let cancel: CancelTimer = () => undefined;
  const late = new Promise<false>((resolve) => {
    cancel = clock.after(limitMs, () => {
      resolve(false);
    });
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    cancel();
  }
}
