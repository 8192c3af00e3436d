#!/usr/bin/env node
/**
 * `npm test`: every suite, and a list of what did not run.
 *
 *   npm test                      all suites that need this Node and this machine alone
 *   npm test -- unit browser      only these
 *   npm test -- --list            their names
 *   npm test -- --all             the unit tests on the other supported Nodes too, and npm run test:armv7 beside them
 *
 * With CI=true, or as root on Debian, scripts/setup-debian first installs the tools. Without published vectors or a tool
 * their tests are listed as not run; with TESTS_DEMAND=all, as .ci/run sets it, that is a failure. A failure in a suite of
 * real processes runs once more alone, and is listed as unsteady if it passes then. Exit status: 0 all passed, 1 something
 * failed, 2 wrong usage.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { bootstrap, root } from './bootstrap.mjs';
import { helpOnly } from './tasks/help.mjs';
import { otherLines, otherNode } from './tasks/other-node.mjs';
import { run, printProgress } from './tasks/process.mjs';
import { filesInMemory } from './tasks/test-folder.mjs';
import { readJson, repeatFailures, runSuite } from './tasks/vitest.mjs';

helpOnly(`npm test [-- SUITE …]

Runs every suite that needs this Node and this machine alone, or those that are named, and lists what did not run.

  --list          print the names of the suites
  --all           the unit tests on the other supported Nodes too, and npm run test:armv7 beside them
  --help          print this text

Exit status: 0 all passed, 1 something failed, 2 wrong usage.
`);

/** The unit tests on a Node that does not run this script. */
const OTHERS = new Map(otherLines.map((line) => [`unit-node${line}`, line]));
const ARMV7 = 'armv7';
/**
 * Suites that mostly wait run beside suites that compute. A lane runs its suites one after the other, so two suites of one
 * lane never meet; the computing lane has a lower priority, because the others have real timers.
 */
const LANES = [['integration'], ['browser'], ['contract', 'adversarial', 'interop'], ['unit', ...OTHERS.keys()]];
const COMPUTING = new Set(['unit', 'interop', ...OTHERS.keys()]);
const SUITES = ['unit', 'adversarial', 'contract', 'interop', 'integration', 'browser', ...OTHERS.keys()];
const PROGRESS_MS = 30_000;

const asked = process.argv.slice(2);
if (asked.includes('--list')) {
  console.log(SUITES.join('\n'));
  process.exit(0);
}
const isWhole = asked.includes('--all');
const named = asked.filter((name) => name !== '--all');
const unknown = named.filter((name) => !SUITES.includes(name));
if (unknown.length > 0) {
  printProgress(`no suite ${unknown.join(', ')}; there are ${SUITES.join(', ')}`);
  process.exit(2);
}
const wanted = named.length > 0 ? named : SUITES.filter((name) => isWhole || !OTHERS.has(name));
/** Alone, a suite writes to the terminal; beside others its output is printed as a whole when it ends. */
const isAlone = wanted.length === 1 && !isWhole;

const startMs = performance.now();
const running = new Map();
const took = [];
const notRun = [];
const unsteady = [];

await setup();
await bootstrap();
const files = filesInMemory();
const first = await runLanes();
const { results, unsteady: found } = await repeatFailures(
  first.filter(({ suite }) => suite !== ARMV7),
  { env: files },
);
unsteady.push(...found);
await report([...results, ...first.filter(({ suite }) => suite === ARMV7)]);

async function setup() {
  const isCi = process.env.CI === 'true';
  const isRootOnDebian = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  if (!isCi && !isRootOnDebian) return;
  printProgress(`scripts/setup-debian first, because ${isCi ? 'CI=true' : 'this is root on Debian'}.`);
  const { status } = await run(join(root, 'scripts', 'setup-debian'), []);
  if (status !== 0) printProgress('setup-debian failed; tests whose tool is missing are listed as not run.');
}

async function runLanes() {
  // Compiling their addons takes minutes, so it starts beside the first suites, one after the other.
  // A rejection is kept for its suite: the others go on.
  const prepared = new Map();
  let before = Promise.resolve();
  for (const [name, line] of OTHERS) {
    if (!wanted.includes(name)) continue;
    before = before.then(() => otherNode(root, line)).catch((error) => ({ error }));
    prepared.set(name, before);
  }
  const lanes = LANES.map((lane) => lane.filter((name) => wanted.includes(name))).filter((lane) => lane.length > 0);
  const progress = setInterval(() => printProgress(`… ${runningNow()}`), PROGRESS_MS);
  const finished = await Promise.all([
    ...lanes.map(async (lane) => {
      const done = [];
      for (const name of lane)
        done.push(...(await (OTHERS.has(name) ? otherSuite(name, prepared.get(name)) : suite(name))));
      return done;
    }),
    ...(isWhole ? [armv7Suite()] : []),
  ]);
  clearInterval(progress);
  return finished.flat();
}

function runningNow() {
  const now = performance.now();
  return [...running].map(([name, sinceMs]) => `${name} (${((now - sinceMs) / 1000).toFixed(0)} s)`).join(', ');
}

async function tracked(name, work) {
  running.set(name, performance.now());
  if (!isAlone) printProgress(`${name}: started`);
  const { result, output, seconds } = await work();
  running.delete(name);
  const counts = `${result.passed} passed, ${result.failures.length} failed (${seconds.toFixed(0)} s)`;
  took.push(`  ${name.padEnd(14)} ${counts}`);
  printProgress(`${output === '' ? '' : `\n${output.trimEnd()}\n`}${name}: ${counts}`);
  return [result];
}

function suite(name, options = {}) {
  const env = { ...files, SEALCAM_VECTORS: process.env.SEALCAM_VECTORS ?? join(root, '..', 'shared', 'vectors') };
  const nice = !isAlone && COMPUTING.has(name);
  return tracked(name, () => runSuite(name, { env, nice, capture: !isAlone, ...options }));
}

/** Unit tests on another supported Node, but for those that read the sources: no Node changes what these find. */
async function otherSuite(name, preparing) {
  const { node, folder, reason, error } = await preparing;
  if (error !== undefined) {
    printProgress(`\n${name}: ${error.message}`);
    const { readReport } = await import('../dist/scripts/tasks/suite-results.js');
    return [readReport(name, null, 1, root)];
  }
  if (reason === undefined) {
    const entries = readdirSync(join(root, 'test', 'suites', 'unit'), { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() && entry.name !== 'house');
    const args = folders.map(({ name }) => `test/suites/unit/${name}/`);
    return suite(name, { project: 'unit', node, folder, args });
  }
  notRun.push({ what: `unit tests on Node ${OTHERS.get(name)}`, remedy: `${reason}; run npm test with that Node` });
  return [];
}

/** The image on an emulated camera; it repeats its failures itself. */
function armv7Suite() {
  const file = join(root, '.cache', 'results', 'armv7.result.json');
  rmSync(file, { force: true });
  return tracked(ARMV7, async () => {
    const script = join(root, 'scripts', 'test-armv7.mjs');
    const { status, output, seconds } = await run(process.execPath, [script], { cwd: root, capture: true, nice: true });
    const ended = readJson(file);
    unsteady.push(...(ended?.unsteady ?? []));
    const { readReport } = await import('../dist/scripts/tasks/suite-results.js');
    return { result: ended?.result ?? readReport(ARMV7, null, status, root), output, seconds };
  });
}

async function report(all) {
  const { sum } = await import('../dist/scripts/tasks/suite-results.js');
  const { passed, failed, text } = sum(all, notRun, unsteady, process.env.TESTS_DEMAND === 'all');
  if (!isAlone) {
    const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
    printProgress(`\nSuites (side by side, ${seconds} s together):\n${took.join('\n')}`);
  }
  if (text !== '') printProgress(`\n${text}`);
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
