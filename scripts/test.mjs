#!/usr/bin/env node
/**
 * `npm test`: every suite, and a list of what did not run.
 *
 *   npm test                      all suites
 *   npm test -- unit browser      only these
 *   npm test -- --list            their names
 *
 * With CI=true, or as root on Debian, scripts/setup-debian first installs the tools. With CI=true what did not run is
 * a failure. Exit status: 0 all passed, 1 something failed, 2 wrong usage.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { bootstrap, root } from './bootstrap.mjs';
import { otherLine, otherNode } from './tasks/other-node.mjs';
import { run, say } from './tasks/process.mjs';

const isCi = process.env.CI === 'true';
const OTHER = `unit-node${otherLine}`;
const SUITES = ['unit', 'adversarial', 'contract', 'interop', 'integration', 'browser', OTHER];

const asked = process.argv.slice(2);
if (asked.includes('--list')) {
  console.log(SUITES.join('\n'));
  process.exit(0);
}
const unknown = asked.filter((name) => !SUITES.includes(name));
if (unknown.length > 0) {
  say(`no suite ${unknown.join(', ')}; there are ${SUITES.join(', ')}`);
  process.exit(2);
}

const totals = { passed: 0, failed: 0 };
/** What did not run: [name, how to make it run]. */
const notRun = [];
/** Named again at the end, because a log may be cut. */
const failures = [];
/** Tests that are announced and not written. */
const notWritten = [];

await setup();
await bootstrap();
for (const name of asked.length > 0 ? asked : SUITES) await (name === OTHER ? otherSuite() : suite(name, name));
report();

async function setup() {
  const isRootOnDebian = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  if (!isCi && !isRootOnDebian) return;
  say(`scripts/setup-debian first, because ${isCi ? 'CI=true' : 'this is root on Debian'}.`);
  const { status } = await run(join(root, 'scripts', 'setup-debian'), []);
  if (status !== 0) say('setup-debian failed; suites whose tool is missing will say so.');
}

async function suite(name, project, { node = process.execPath, folder = root } = {}) {
  const results = join(root, '.cache', 'results', `${name}.json`);
  mkdirSync(join(root, '.cache', 'results'), { recursive: true });
  rmSync(results, { force: true });
  say(`\n${name}:`);
  const args = ['run', '--project', project, '--reporter', 'default', '--reporter', 'json', '--outputFile', results];
  const env = { ...process.env, SEALCAM_VECTORS: process.env.SEALCAM_VECTORS ?? join(root, '..', 'shared', 'vectors') };
  const vitest = join(folder, 'node_modules', 'vitest', 'vitest.mjs');
  const { status, seconds } = await run(node, [vitest, ...args], { cwd: folder, env });
  const counted = existsSync(results)
    ? count(JSON.parse(readFileSync(results, 'utf8')), name)
    : { passed: 0, failed: 0 };
  // A crash of the runner or an unhandled error fails no test, and must still not read as passed.
  if (status !== 0 && counted.failed === 0) {
    counted.failed = 1;
    failures.push(`${name}: the runner ended with ${status}, and no test says why`);
  }
  totals.passed += counted.passed;
  totals.failed += counted.failed;
  say(`${name}: ${counted.passed} passed, ${counted.failed} failed (${seconds.toFixed(0)} s)`);
  if (counted.passed + counted.failed === 0) notRun.push([name, 'no test was found']);
}

function count({ testResults }, suiteName) {
  const counted = { passed: 0, failed: 0 };
  for (const file of testResults) {
    const skipped = new Set();
    for (const { status, ancestorTitles, title, failureMessages } of file.assertionResults) {
      if (status === 'passed') counted.passed++;
      else if (status === 'failed') {
        counted.failed++;
        failed(suiteName, file, [...ancestorTitles, title].join(' › '), failureMessages[0]);
      } else if (status === 'todo') notWritten.push(`${suiteName}: ${title} [${relative(root, file.name)}]`);
      else skipped.add([...ancestorTitles, title].find((part) => part.includes('(not run:')) ?? title);
    }
    const isBroken = file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed');
    if (isBroken) {
      counted.failed++;
      failed(suiteName, file, 'the file itself', file.message);
    }
    for (const title of skipped) {
      const [what, remedy = 'skipped without a reason'] = title.split(/ \(not run: |\)$/);
      notRun.push([`${suiteName}: ${what} [${relative(root, file.name)}]`, remedy]);
    }
  }
  return counted;
}

function failed(suiteName, file, title, message = '') {
  failures.push(`${suiteName}: ${title} [${relative(root, file.name)}]\n    ${message.split('\n')[0]}`);
}

/** Unit tests on the other supported Node. */
async function otherSuite() {
  const other = await otherNode(root);
  if (other.reason === undefined) await suite(OTHER, 'unit', other);
  else notRun.push([`unit tests on Node ${otherLine}`, `${other.reason}; run npm test with that Node`]);
}

function report() {
  if (notRun.length > 0) {
    say('\nNot run:');
    for (const [name, remedy] of notRun) say(`  ${name}\n    ${remedy}`);
    if (isCi) {
      say('With CI=true that is a failure.');
      totals.failed += notRun.length;
    }
  }
  if (failures.length > 0) say(`\nFailed:\n  ${failures.join('\n  ')}`);
  if (notWritten.length > 0) say(`\nNot written yet, so not passed:\n  ${notWritten.join('\n  ')}`);
  console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
  process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;
}
