#!/usr/bin/env node
/**
 * Installs and builds what a command needs. Plain JavaScript, so that it runs before anything is installed.
 *
 *   node scripts/bootstrap.mjs                       installs and builds what is missing or stale
 *   node scripts/bootstrap.mjs dist/scripts/x.js …   and then runs that, with the rest as its arguments
 *
 * Progress goes to stderr, so that the command's stdout stays its own.
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { helpOnly } from './tasks/help.mjs';
import { run, printProgress } from './tasks/process.mjs';

const HELP = `npm run build

Installs and builds what is missing or stale.

  --help    print this text
`;

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** With `test/support`, because the campaigns import it. */
const SOURCES = [
  'common',
  'protocol',
  'hal',
  'agent',
  'cloud',
  'app/core',
  'scripts',
  'tsconfig.json',
  'test/campaigns',
  'test/support',
];

/** Installs and builds where needed. Ends the process with status 1 or 4 if that fails. */
export async function bootstrap() {
  requireNode();
  await install();
  await build();
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 13) || major === 24) return;
  printProgress(
    `Node ${process.versions.node} is not supported: sealcam runs on Node 20 (from 20.19), 22 (from 22.13) and 24.`,
  );
  printProgress('Get one from https://nodejs.org, or with nvm: nvm install 20');
  process.exit(4);
}

/** Runs npm ci if the lock file or Node changed since the last one. */
async function install() {
  const stamp = join(root, 'node_modules', '.sealcam-install');
  const wanted = `${readFileSync(join(root, 'package-lock.json'), 'utf8')}\nNode ABI ${process.versions.modules}\n`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  printProgress('Installing npm packages. better-sqlite3 is compiled, which takes about two minutes …');
  const { status, seconds } = await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root });
  if (status !== 0) {
    printProgress('The installation failed. It needs the npm registry, and python3, make and a C++ compiler:');
    printProgress('  Debian: apt install python3 make g++     macOS: xcode-select --install');
    process.exit(4);
  }
  writeFileSync(stamp, wanted);
  printProgress(`Installed in ${seconds.toFixed(0)} s.`);
}

/** Runs tsc if a source is newer than the last build. */
async function build() {
  const stamp = join(root, 'dist', '.tsbuildinfo');
  if (existsSync(stamp) && newest(SOURCES.map((path) => join(root, path))) <= statSync(stamp).mtimeMs) return;
  printProgress('Building …');
  const { status } = await run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', root]);
  if (status !== 0) process.exit(1);
  // tsc does not touch the stamp if no output changes.
  if (existsSync(stamp)) writeFileSync(stamp, readFileSync(stamp));
}

function newest(paths) {
  let latest = 0;
  for (const path of paths) {
    const stat = statSync(path);
    const times = stat.isDirectory() ? newest(readdirSync(path).map((name) => join(path, name))) : 0;
    // The time of a folder changes when a file in it is removed.
    latest = Math.max(latest, stat.mtimeMs, times);
  }
  return latest;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2]?.startsWith('-') === true) helpOnly(HELP);
  await bootstrap();
  const [script, ...args] = process.argv.slice(2);
  if (script !== undefined) {
    const { status } = await run(process.execPath, [join(root, script), ...args], { stdout: true });
    process.exitCode = status;
  }
}
