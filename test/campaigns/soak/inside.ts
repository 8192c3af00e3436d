import { renameSync, writeFileSync } from 'node:fs';

/**
 * Loaded into the agent's process before its program: on SIGUSR2 collects garbage and writes the size of the heap to a
 * file.
 */
const path = process.env['SOAK_HEAP_FILE'] ?? '';
process.on('SIGUSR2', () => {
  (globalThis as { readonly gc?: () => void }).gc?.();
  writeFileSync(`${path}.new`, JSON.stringify(process.memoryUsage()));
  renameSync(`${path}.new`, path);
});
