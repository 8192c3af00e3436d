import { describe, expect, it } from 'vitest';
import { coreSlowness, limitMs, parseRunnable, Patience, slowness } from '../../../support/runner/speed.js';

describe('the machine’s speed', () => {
  it('reads what wants a core now from /proc/loadavg', () => {
    expect(parseRunnable('4.14 3.28 2.35 7/134 21499\n')).toBe(7);
    expect(parseRunnable('')).toBe(0);
  });

  it('is never below 1, multiplies a slow core with a crowd, and is capped', () => {
    expect(slowness(1, 0.1)).toBe(1);
    expect(slowness(2, 0.5)).toBe(2);
    expect(slowness(2, 5)).toBe(10);
    expect(slowness(100, 100)).toBe(40);
    expect(coreSlowness()).toBeGreaterThanOrEqual(1);
    expect(limitMs(1000)).toBeGreaterThanOrEqual(1000);
  });

  it('uses up patience at the machine’s pace', () => {
    const idle = new Patience(1000, 0);
    expect(idle.wait(900, 1)).toBe(true);
    expect(idle.wait(1100, 1)).toBe(false);
    const crowded = new Patience(1000, 0);
    expect(crowded.wait(9000, 10)).toBe(true);
    expect(crowded.wait(10_500, 10)).toBe(false);
  });
});
