import { describe, expect, it } from 'vitest';
import { heapWatch, type HeapUse } from '../../../../agent/main/adapters/heap-watch.js';

const MIB = 1024 * 1024;

/** A heap of 32 MiB. */
class TestHeap {
  live = 8 * MIB;
  garbage = 0;
  externalGarbage = 0;
  collections = 0;

  readonly use = (): HeapUse => ({
    usedBytes: this.live + this.garbage,
    limitBytes: 32 * MIB,
    externalBytes: this.externalGarbage,
  });

  readonly collect = (): void => {
    this.collections++;
    this.garbage = 0;
    this.externalGarbage = 0;
  };
}

describe('the watch on the heap', () => {
  it('collects before it calls a heap full, and garbage does not count', () => {
    const heap = new TestHeap();
    const isFull = heapWatch(heap.use, heap.collect);
    heap.garbage = 20 * MIB;
    expect([isFull(), heap.collections]).toEqual([false, 1]);
    heap.live = 30 * MIB;
    expect([isFull(), heap.collections]).toEqual([true, 2]);
  });

  it('collects where garbage has piled up since the last time, buffers included, and not otherwise', () => {
    const heap = new TestHeap();
    const isFull = heapWatch(heap.use, heap.collect);
    isFull();
    // What the start left.
    expect(heap.collections).toBe(1);
    heap.garbage = MIB / 4;
    isFull();
    expect(heap.collections).toBe(1);
    heap.externalGarbage = MIB / 4;
    isFull();
    expect(heap.collections).toBe(2);
    // More that is alive is no reason to collect again and again.
    heap.live += 4 * MIB;
    for (let look = 0; look < 5; look++) isFull();
    expect(heap.collections).toBe(3);
  });

  it('does without a collector', () => {
    const heap = new TestHeap();
    heap.live = 22 * MIB;
    expect(heapWatch(heap.use, undefined)()).toBe(false);
    heap.live = 30 * MIB;
    expect(heapWatch(heap.use, undefined)()).toBe(true);
  });

  it('reads this process, which has room', () => {
    expect(heapWatch()()).toBe(false);
  });
});
