import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { limitMs } from '../runner/speed.js';
import { repository } from '../vectors.js';
import { program } from './programs.js';

/** Runs a program of the second implementation to its end. */
export function runPython(
  script: string,
  ...args: readonly string[]
): { readonly status: number | null; readonly out: string } {
  const path = join(repository, 'test', 'suites', 'interop', script);
  const { status, stdout, stderr } = spawnSync(program('python'), [path, ...args], {
    encoding: 'utf8',
    timeout: limitMs(60_000),
  });
  return { status, out: status === null || stdout === '' ? stderr : stdout };
}
