import { describe, expect, it } from 'vitest';
import { heapWatch } from '../../../../agent/main/adapters/heap-watch.js';

describe('the watch on the heap', () => {
  it('collects before it calls a heap full, and garbage does not count', () => {
    let live = 0.5;
    let garbage = 0.15;
    let collections = 0;
    const isFull = heapWatch(
      () => live + garbage,
      () => {
        collections++;
        garbage = 0;
      },
    );
    expect([isFull(), collections]).toEqual([false, 0]);
    garbage = 0.45;
    expect([isFull(), collections]).toEqual([false, 1]);
    live = 0.95;
    expect([isFull(), collections]).toEqual([true, 2]);
  });

  it('does without a collector', () => {
    expect(heapWatch(() => 0.69, undefined)()).toBe(false);
    expect(heapWatch(() => 0.95, undefined)()).toBe(true);
  });

  it('reads this process, which has room', () => {
    expect(heapWatch()()).toBe(false);
  });
});
