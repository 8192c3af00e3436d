import { getHeapStatistics } from 'node:v8';

/** Above four fifths V8 gives up as soon as a few collections in a row free little: the stop begins before, with room for what grows until the next look. */
const FULL_SHARE = 0.7;

/**
 * Returns what tells whether the heap is nearly full of live objects. Node would end the process without order, where it
 * stands: the caller stops it in order before. `collect` runs a collection, where the process was started with --expose-gc;
 * without one, garbage counts too.
 */
export function heapWatch(
  usedShare: () => number = heapUsedShare,
  collect: (() => void) | undefined = exposedCollector(),
): () => boolean {
  return () => {
    if (usedShare() < FULL_SHARE) return false;
    collect?.();
    return usedShare() >= FULL_SHARE;
  };
}

function heapUsedShare(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used / limit;
}

function exposedCollector(): (() => void) | undefined {
  return (globalThis as { readonly gc?: () => void }).gc;
}
