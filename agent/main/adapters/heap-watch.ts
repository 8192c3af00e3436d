import { getHeapStatistics } from 'node:v8';

/** Above four fifths V8 gives up as soon as a few collections in a row free little: the stop begins before, with room for what grows until the next look. */
const FULL_SHARE = 0.7;

/**
 * Garbage that may lie about. V8 would wait for a few times as much, which takes a slow core a quarter of an hour, and then keeps
 * the pages, as something alive lies on each.
 */
const GARBAGE_BYTES = 512 * 1024;

export interface HeapUse {
  readonly usedBytes: number;
  readonly limitBytes: number;
  /** Buffers that live outside the heap and are freed with the objects that hold them. */
  readonly externalBytes: number;
}

/**
 * Returns what is called every few seconds: it collects garbage where some has piled up, and tells whether the heap is nearly full of
 * live objects. Node would end the process without order, where it stands: the caller stops it in order before. `collect` runs a
 * collection, where the process was started with --expose-gc; without one, garbage counts too.
 */
export function heapWatch(
  use: () => HeapUse = heapUse,
  collect: (() => void) | undefined = exposedCollector(),
): () => boolean {
  let aliveBytes = 0;
  return () => {
    const now = use();
    const isFull = ({ usedBytes, limitBytes }: HeapUse): boolean => usedBytes >= FULL_SHARE * limitBytes;
    if (collect === undefined || (!isFull(now) && bytesOf(now) < aliveBytes + GARBAGE_BYTES)) return isFull(now);
    collect();
    const after = use();
    aliveBytes = bytesOf(after);
    return isFull(after);
  };
}

function bytesOf({ usedBytes, externalBytes }: HeapUse): number {
  return usedBytes + externalBytes;
}

function heapUse(): HeapUse {
  const {
    used_heap_size: usedBytes,
    heap_size_limit: limitBytes,
    external_memory: externalBytes,
  } = getHeapStatistics();
  return { usedBytes, limitBytes, externalBytes };
}

function exposedCollector(): (() => void) | undefined {
  return (globalThis as { readonly gc?: () => void }).gc;
}
