import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../bootstrap.mjs';
import { say } from '../tasks/process.mjs';
import { ensureFolder } from './machine.mjs';

/** Folder of all intermediate results. */
export const cache = join(root, '.cache', 'armv7');
/** Every step of this run in order: its name, its seconds, and whether its result was kept from an earlier run. */
export const stages = [];

/**
 * Runs `work(folder)`, unless the folder exists and was made from the same inputs. `inputs` are texts, or paths of files in
 * the checkout, that decide the result. Returns {folder, key}.
 */
export async function step(name, inputs, work) {
  const startedMs = performance.now();
  const folder = join(ensureFolder(cache), name);
  const stamp = join(cache, `${name}.key`);
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(existsSync(join(root, input)) ? readFileSync(join(root, input)) : input);
  const key = hash.digest('hex');
  const isKept = existsSync(folder) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key;
  if (!isKept) {
    say(`${name} …`);
    rmSync(stamp, { force: true });
    rmSync(folder, { recursive: true, force: true });
    await work(ensureFolder(folder));
    writeFileSync(stamp, key);
  }
  note(name, (performance.now() - startedMs) / 1000, isKept);
  return { folder, key };
}

/** Records a step, and prints it. */
export function note(name, seconds, kept = false) {
  stages.push({ name, seconds: Math.round(seconds * 10) / 10, kept });
  say(`${name}: ${kept ? 'kept' : `${seconds.toFixed(1)} s`}`);
}
