/** Where the tests of one run keep their files. */
import { chmodSync, existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
/** A whole run has at most a fifth of it there at one time. */
const ENOUGH_BYTES = 8 * 1024 ** 3;

/**
 * Makes a folder in memory where there is plenty, and removes it when this process ends: half of what a test of a store does on a
 * disk is waiting for it. Returns the environment that says so; a TMPDIR that is set stays.
 */
export function filesInMemory(enoughBytes = ENOUGH_BYTES) {
  if (process.env.TMPDIR !== undefined || !existsSync(MEMORY)) return {};
  const { bavail, bsize } = statfsSync(MEMORY);
  if (Math.min(bavail * bsize, freemem()) < enoughBytes) return {};
  // Short: the path of a server's socket has at most 107 bytes.
  const folder = mkdtempSync(join(MEMORY, 'seal-'));
  // Databases run as users of their own.
  chmodSync(folder, 0o711);
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return { TMPDIR: folder };
}
