import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../bootstrap.mjs';
import { printProgress } from '../tasks/process.mjs';
import { ensureFolder } from './machine.mjs';

/** Holds everything that is built on the way. */
export const cache = join(root, '.cache', 'armv7');
/** Finished stages in order: name, seconds, and whether an earlier run's result was kept. */
export const stages = [];

/**
 * Runs `work(folder)` unless the folder was made from the same inputs. `inputs` are texts or paths of the checkout's files,
 * and decide the result. Resolves with {folder, key}.
 */
export async function step(name, inputs, work) {
  const startMs = performance.now();
  const folder = join(ensureFolder(cache), name);
  const stamp = join(cache, `${name}.key`);
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(existsSync(join(root, input)) ? readFileSync(join(root, input)) : input);
  const key = hash.digest('hex');
  const isKept = existsSync(folder) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key;
  if (!isKept) {
    printProgress(`${name} …`);
    rmSync(stamp, { force: true });
    rmSync(folder, { recursive: true, force: true });
    await work(ensureFolder(folder));
    writeFileSync(stamp, key);
  }
  note(name, (performance.now() - startMs) / 1000, isKept);
  return { folder, key };
}

/** Records and prints the time of a stage. */
export function note(name, seconds, kept = false) {
  stages.push({ name, seconds: Math.round(seconds * 10) / 10, kept });
  printProgress(`${name}: ${kept ? 'kept' : `${seconds.toFixed(1)} s`}`);
}
