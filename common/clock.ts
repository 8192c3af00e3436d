/** Cancels a timer. May be called more than once. */
export type CancelTimer = () => void;

/** Time as a parameter. Only composition roots pass the real clock, so that one seed can replay a whole world. */
export interface Clock {
  /** Milliseconds since an arbitrary start. Never goes back, even when the wall clock is set. */
  monotonicMs(): number;
  /** Milliseconds since 1970-01-01T00:00:00Z by the system's clock, which may be wrong or jump. */
  wallMs(): number;
  /** Runs `callback` once after `delayMs`. */
  readonly after: (delayMs: number, callback: () => void) => CancelTimer;
}

/** Resolves after `delayMs`, or as soon as the signal fires. Never rejects. */
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

/**
 * Waits for `work`, but no longer than `limitMs`. Returns whether it finished in time; late work continues unwatched.
 * Rejects as `work` does.
 */
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
