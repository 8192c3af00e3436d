#!/usr/bin/env node
/**
 * `npm run test:armv7`: builds the camera's image and package, and tries that very image on an emulated Cortex-A7.
 * Needs root on Debian and Node 20; installs the tools it needs. What is built is kept in .cache/armv7, under a hash of its
 * inputs. A test that fails runs once more alone, and is listed as unsteady if it passes then. Ends with "N passed,
 * N failed"; exit status 0, 1, or 4 where something outside is missing.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDeb } from './armv7/deb.mjs';
import { makeImage } from './armv7/image.mjs';
import { CPU, must, Obstacle, prepareMachine } from './armv7/machine.mjs';
import { makeProgram } from './armv7/program.mjs';
import { makeRoot } from './armv7/root.mjs';
import { note, stages, step } from './armv7/steps.mjs';
import { checkUnits } from './armv7/units.mjs';
import { bootstrap, root } from './bootstrap.mjs';
import { helpOnly } from './tasks/help.mjs';
import { printProgress } from './tasks/process.mjs';
import { repeatFailures, runSuite } from './tasks/vitest.mjs';

helpOnly(`npm run test:armv7 [-- TEST FILE …]

Builds the camera's image and package, and tries that very image on an emulated Cortex-A7. Needs root on Debian and Node 20;
installs the tools it needs.

  --help    print this text

Exit status: 0 all passed, 1 something failed, 4 something outside is missing.
`);

const startMs = performance.now();
let summary = { passed: 0, failed: 1, text: '' };
try {
  const built = await prepare();
  summary = await trial(built);
} catch (error) {
  if (!(error instanceof Obstacle)) throw error;
  printProgress(`test:armv7: ${error.message}`);
  process.exitCode = 4;
}
report();

async function timed(name, work) {
  const sinceMs = performance.now();
  const result = await work();
  note(name, (performance.now() - sinceMs) / 1000);
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
    vectorWriter: join(helpers, 'make-vectors.mjs'),
  };
}

/** Makes what only the tests need: the stand-in for /dev/udmabuf, and the golden vectors' writer as one file. */
async function makeHelpers() {
  const source = 'test/suites/armv7/libcamera/udmabuf.c';
  const { folder } = await step('helpers', [source, 'dist/scripts/bundle.js'], async (target) => {
    const flags = ['-O1', '-shared', '-fPIC', '-Wall', '-Werror', '-U_FILE_OFFSET_BITS', '-U_TIME_BITS'];
    await must('arm-linux-gnueabihf-gcc', [...flags, '-o', join(target, 'udmabuf.so'), join(root, source)]);
  });
  // Only now: before bootstrap() there may be no build.
  const { build } = await import('../dist/scripts/esbuild.js');
  const entryPoints = [join(root, 'scripts', 'make-vectors.ts')];
  const outfile = join(folder, 'make-vectors.mjs');
  // Dependencies in CommonJS call require(), which an ES module lacks.
  const banner = { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" };
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', banner, logLevel: 'warning' });
  return folder;
}

/** Runs the tests on the image; npm test reads what they come to from .cache/results. */
async function trial(built) {
  const env = { SEALCAM_ARMV7: JSON.stringify({ armv7: built }) };
  const { result: first, seconds } = await runSuite('armv7', { env, args: process.argv.slice(2) });
  note('trial', seconds);
  const { results, unsteady } = await repeatFailures([first], { env });
  const folder = join(root, '.cache', 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'armv7.result.json'), JSON.stringify({ result: results[0], unsteady }));
  const { sum } = await import('../dist/scripts/tasks/suite-results.js');
  return sum(results, [], unsteady, true);
}

function report() {
  const seconds = (performance.now() - startMs) / 1000;
  printProgress(
    `\n${stages.map(({ name, seconds: took, kept }) => `  ${name.padEnd(20)} ${kept ? 'kept' : `${took} s`}`).join('\n')}`,
  );
  printProgress(`  ${'together'.padEnd(20)} ${seconds.toFixed(0)} s (root beside modules, deb beside image)`);
  const { passed, failed, text } = summary;
  if (text !== '') printProgress(`\n${text}`);
  console.log(`\n${passed} passed, ${failed} failed`);
  if (process.exitCode === undefined) process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
