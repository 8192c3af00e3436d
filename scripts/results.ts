import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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

/** Puts figures where a page has a place for them: between `<!-- NAME -->` and `<!-- /NAME -->`. */
export function writePart(page: string, name: string, markdown: string): void {
  const path = join(checkout, page);
  const text = readFileSync(path, 'utf8');
  const [begin, end] = [`<!-- ${name} -->\n`, `\n<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < 0) throw new Error(`${page} has no place for ${name}`);
  writeFileSync(path, text.slice(0, from + begin.length) + markdown + text.slice(to));
}

/** Writes docs/results/NAME.json: the result with where and when it was measured. */
export function saveResult(name: string, result: Readonly<Record<string, unknown>>): void {
  const folder = join(checkout, 'docs', 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ ...runMeta(), ...result }, null, 2)}\n`);
}
