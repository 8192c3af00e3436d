import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../../common/clock.js';
import { retrying } from '../../../../common/retry.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

const LIMITS = { firstDelayMs: 1000, maxDelayMs: 4000 };

/** A clock on which every wait is over immediately; it records how long each would have taken. */
function impatientClock(delaysMs: number[]): Clock {
  return {
    monotonicMs: () => 0,
    wallMs: () => 0,
    after: (delayMs, callback) => {
      delaysMs.push(delayMs);
      queueMicrotask(callback);
      return () => undefined;
    },
  };
}

describe('retrying', () => {
  it('doubles the delay up to its maximum, and restarts it on request', async () => {
    const delaysMs: number[] = [];
    const { signal } = new AbortController();
    let attempts = 0;
    const result = await retrying({ clock: impatientClock(delaysMs), signal, ...LIMITS }, (resetDelay) => {
      attempts++;
      if (attempts === 5) resetDelay();
      return Promise.resolve(attempts === 7 ? 'done' : null);
    });
    expect(result).toBe('done');
    expect(delaysMs).toEqual([1000, 2000, 4000, 4000, 1000, 2000]);
  });

  it.each([
    [0, 500],
    [0.5, 1000],
    [0.75, 1250],
  ])('with a random number of %d waits %d ms instead of 1000', async (uniform, expectedMs) => {
    const delaysMs: number[] = [];
    const { signal } = new AbortController();
    const jitter = { uniform: () => uniform, bytes: (length: number) => new Uint8Array(length) };
    await retrying({ clock: impatientClock(delaysMs), signal, ...LIMITS, jitter }, () =>
      Promise.resolve(delaysMs.length === 1 ? 'done' : null),
    );
    expect(delaysMs).toEqual([expectedMs]);
  });

  it('makes no attempt once the signal has fired, and leaves no timer', async () => {
    const clock = new VirtualClock();
    const stopping = new AbortController();
    let attempts = 0;
    const fail = (): Promise<null> => {
      attempts++;
      return Promise.resolve(null);
    };
    const result = retrying({ clock, signal: stopping.signal, ...LIMITS }, fail);
    await clock.run(500);
    stopping.abort();
    expect(await result).toBeNull();
    expect(await retrying({ clock, signal: stopping.signal, ...LIMITS }, fail)).toBeNull();
    expect(attempts).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('ends with what an attempt throws', async () => {
    const { signal } = new AbortController();
    const fault = (): Promise<null> => Promise.reject(new Error('not recoverable'));
    await expect(retrying({ clock: new VirtualClock(), signal, ...LIMITS }, fault)).rejects.toThrow('not recoverable');
  });
});
