import { readChildrenMemory } from '../../hal/linux/process-memory.js';

const POLL_MS = 5;
const MIB = 1024 * 1024;

/**
 * Watches the own memory of a process's children, of which the one that wraps a period's key is gone within a second. The
 * function that it returns ends that, and returns the highest that was seen, in MiB: 0 where there was no child.
 */
export function watchChildren(pid: number): () => number {
  let peak = 0;
  const poll = setInterval(() => (peak = Math.max(peak, readChildrenMemory(pid))), POLL_MS).unref();
  return () => {
    clearInterval(poll);
    return Math.round((peak / MIB) * 100) / 100;
  };
}
