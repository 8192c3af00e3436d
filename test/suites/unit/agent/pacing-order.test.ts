import { describe, expect, it } from 'vitest';
import { PacingOrder } from '../../../../agent/uplink/pacing-order.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

const YEARS_AHEAD_MS = 4_000_000_000_000;

describe('the newest pacing', () => {
  it('is the one that was issued last, where receipts overtake each other', () => {
    const order = new PacingOrder(new VirtualClock());
    expect([100, 300, 200, 300, 301].map((atMs) => order.accepts(atMs))).toEqual([true, true, false, true, true]);
  });

  it('of a clock that ran ahead is replaced after a quarter of an hour, and at once by the next connection', () => {
    const clock = new VirtualClock();
    const order = new PacingOrder(clock);
    expect(order.accepts(YEARS_AHEAD_MS)).toBe(true);
    expect(order.accepts(1000)).toBe(false);
    clock.advance(15 * 60_000 - 1);
    // What is refused does not prolong it.
    expect(order.accepts(1001)).toBe(false);
    clock.advance(1);
    expect(order.accepts(1002)).toBe(true);
    expect(order.accepts(YEARS_AHEAD_MS)).toBe(true);
    order.reset();
    expect(order.accepts(1003)).toBe(true);
  });
});
