import type { Clock } from '../clock.js';

/** setTimeout takes at most 31 bits; longer waits use several timers. */
const TIMER_MAX_MS = 2 ** 31 - 1;

function after(delayMs: number, callback: () => void): () => void {
  const step = Math.min(Math.max(0, delayMs), TIMER_MAX_MS);
  let timer = setTimeout(tick, step);
  let left = delayMs - step;
  function tick(): void {
    if (left <= 0) {
      callback();
      return;
    }
    const next = Math.min(left, TIMER_MAX_MS);
    left -= next;
    timer = setTimeout(tick, next);
  }
  return () => {
    clearTimeout(timer);
  };
}

/** The system clock, in Node and in a browser. Only composition roots pass it on. */
export const realClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after,
};
