import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes outside the JavaScript heap (buffers, WebAssembly memories) that something still refers to. Node counts a collected buffer until the next collection begins, so it takes two. */
export function keptOutsideHeap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().external;
}
