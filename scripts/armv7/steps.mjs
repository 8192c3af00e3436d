import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../bootstrap.mjs';
import { say } from '../tasks/process.mjs';
import { ensureFolder } from './machine.mjs';

/** Everything that is built on the way lives here, and nothing of it elsewhere. */
export const cache = join(root, '.cache', 'armv7');
/** Name, seconds and whether it was kept from an earlier run, in order. */
export const stages = [];

/**
 * Runs `work(folder)` unless the folder was made from the very same inputs. `inputs`: texts, or paths of files of the
 * checkout, which decide what comes out.
 */
export async function step(name, inputs, work) {
  const begun = performance.now();
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
  note(name, (performance.now() - begun) / 1000, isKept);
  return { folder, key };
}

export function note(name, seconds, kept = false) {
  stages.push({ name, seconds: Math.round(seconds * 10) / 10, kept });
  say(`${name}: ${kept ? 'kept' : `${seconds.toFixed(1)} s`}`);
}
