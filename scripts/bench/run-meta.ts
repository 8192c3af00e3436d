import { spawnSync } from 'node:child_process';
import { arch, cpus, platform } from 'node:os';
import { VERSION } from '../../common/version.js';
import { checkout } from '../build-page.js';

/** What a saved result must say, so that it can be compared later. */
export interface RunMeta {
  readonly version: string;
  /** With `+` where the checkout had changes. */
  readonly commit: string;
  readonly date: string;
  readonly node: string;
  readonly machine: string;
}

export function runMeta(): RunMeta {
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
