import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { VERSION } from '../common/version.js';
import { checkout } from './checkout.js';

/** What a saved result records about its run, so that it can be compared later. */
interface RunMeta {
  readonly version: string;
  /** Ends in `+` where the checkout had changes. */
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

/**
 * Replaces the part of a page between `<!-- NAME -->` and `<!-- /NAME -->`. @throws Error where the page has no such
 * part
 */
export function writePart(page: string, name: string, markdown: string): void {
  const path = join(checkout, page);
  const text = readFileSync(path, 'utf8');
  const begin = `<!-- ${name} -->\n`;
  const from = text.indexOf(begin);
  const to = text.indexOf(`\n<!-- /${name} -->`);
  if (from < 0 || to < 0) throw new Error(`${page} has no part named ${name}`);
  writeFileSync(path, text.slice(0, from + begin.length) + markdown + text.slice(to));
}

/** Reads docs/results/NAME.json. @throws Error where it is missing or no JSON */
export function readResult(name: string): unknown {
  return JSON.parse(readFileSync(resultPath(name), 'utf8'));
}

/** Writes docs/results/NAME.json: the result, with the version, commit, date and machine of the run. */
export function saveResult(name: string, result: Readonly<Record<string, unknown>>): void {
  const path = resultPath(name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ ...runMeta(), ...result }, null, 2)}\n`);
}

function resultPath(name: string): string {
  return join(checkout, 'docs', 'results', `${name}.json`);
}
