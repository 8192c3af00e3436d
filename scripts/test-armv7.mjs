#!/usr/bin/env node
/**
 * `npm run test:armv7`: builds the camera's image and package, and tries that very image on an emulated Cortex-A7.
 * Needs root on Debian and Node 20; installs the tools it needs. What is built is kept in .cache/armv7, by the inputs it
 * was made of. Ends with "N passed, N failed"; exit status 0, 1, or 4 where something outside is missing.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDeb } from './armv7/deb.mjs';
import { makeImage } from './armv7/image.mjs';
import { CPU, must, Obstacle, prepareMachine } from './armv7/machine.mjs';
import { makeProgram } from './armv7/program.mjs';
import { makeRoot } from './armv7/root.mjs';
import { cache, note, stages, step } from './armv7/steps.mjs';
import { checkUnits } from './armv7/units.mjs';
import { bootstrap, root } from './bootstrap.mjs';
import { run, say } from './tasks/process.mjs';

const begun = performance.now();
const totals = { passed: 0, failed: 0 };
try {
  const built = await prepare();
  await trial(built);
} catch (error) {
  if (!(error instanceof Obstacle)) throw error;
  say(`test:armv7: ${error.message}`);
  totals.failed++;
  process.exitCode = 4;
}
report();

async function timed(name, work) {
  const start = performance.now();
  const result = await work();
  note(name, (performance.now() - start) / 1000);
  return result;
}

async function prepare() {
  await timed('tools', prepareMachine);
  await timed('install and build', bootstrap);
  // The root waits for the network, the modules for a core.
  const [base, program] = await Promise.all([makeRoot(root), makeProgram()]);
  const [image, deb] = await Promise.all([makeImage(base, program), makeDeb(program)]);
  const helpers = await makeHelpers();
  return {
    rootfs: image.rootfs,
    imageFolder: image.folder,
    deb: deb.path,
    cpu: CPU,
    units: await checkUnits(deb.path),
    shim: join(helpers, 'udmabuf.so'),
    vectorWriter: join(helpers, 'make-vectors.cjs'),
  };
}

/** What only the trial needs: the stand-in for /dev/udmabuf, and the golden vectors' writer as one file. */
async function makeHelpers() {
  const source = 'test/suites/armv7/libcamera/udmabuf.c';
  const { folder } = await step('helpers', [source, 'dist/scripts/bundle.js'], async (target) => {
    const flags = ['-O1', '-shared', '-fPIC', '-Wall', '-Werror', '-U_FILE_OFFSET_BITS', '-U_TIME_BITS'];
    await must('arm-linux-gnueabihf-gcc', [...flags, '-o', join(target, 'udmabuf.so'), join(root, source)]);
  });
  // Only now: before bootstrap() there may be no esbuild.
  const { build } = await import('esbuild');
  const entryPoints = [join(root, 'scripts', 'make-vectors.ts')];
  const outfile = join(folder, 'make-vectors.cjs');
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'cjs', logLevel: 'warning' });
  return folder;
}

async function trial(built) {
  const results = join(cache, 'results.json');
  mkdirSync(cache, { recursive: true });
  const reporters = ['--reporter', 'verbose', '--reporter', 'json', '--outputFile', results];
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const env = { ...process.env, SEALCAM_ARMV7: JSON.stringify({ armv7: built }) };
  const args = [vitest, 'run', '--project', 'armv7', ...reporters, ...process.argv.slice(2)];
  const { status, seconds } = await run(process.execPath, args, { cwd: root, env });
  note('trial', seconds);
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(results, 'utf8'));
  totals.passed += numPassedTests;
  totals.failed += numFailedTests;
  // A crash of the runner fails no test, and must still not read as passed.
  if (status !== 0 && numFailedTests === 0) totals.failed++;
}

function report() {
  const seconds = (performance.now() - begun) / 1000;
  say(
    `\n${stages.map(({ name, seconds: took, kept }) => `  ${name.padEnd(20)} ${kept ? 'kept' : `${took} s`}`).join('\n')}`,
  );
  say(`  ${'together'.padEnd(20)} ${seconds.toFixed(0)} s (root beside modules, deb beside image)`);
  console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
  if (process.exitCode === undefined) process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;
}
