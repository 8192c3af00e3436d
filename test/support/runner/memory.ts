import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Returns the bytes outside the JavaScript heap (buffers, WebAssembly memories) that are still referred to. Node counts a
 * collected buffer until the next collection starts, so it collects twice.
 */
export function keptOutsideHeap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().external;
}
