import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { join } from 'node:path';
import { VERSION } from '../common/version.js';
import { checkout } from './checkout.js';

/** What a saved result must say, so that it can be compared later. */
interface RunMeta {
  readonly version: string;
  /** With `+` where the checkout had changes. */
  readonly commit: string;
  readonly date: string;
  readonly node: string;
  readonly machine: string;
}

function runMeta(): RunMeta {
  const git = (...args: string[]): string =>
    spawnSync('git', ['-C', checkout, ...args], { encoding: 'utf8' }).stdout.trim();
  const commit = git('rev-parse', '--short', 'HEAD');
  const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+';
  const processors = cpus();
  return {
    version: VERSION,
    commit: commit === '' ? 'unknown' : commit + changed,
    date: new Date().toISOString(),
    node: process.versions.node,
    machine: `${platform()} ${arch()}, ${String(processors.length)} × ${processors[0]?.model ?? 'unknown'}`,
  };
}

/** Writes docs/results/NAME.json: the result with where and when it was measured. */
export function saveResult(name: string, result: Readonly<Record<string, unknown>>): void {
  const folder = join(checkout, 'docs', 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ ...runMeta(), ...result }, null, 2)}\n`);
}
