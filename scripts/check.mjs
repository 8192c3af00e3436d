#!/usr/bin/env node
/**
 * `npm run check`: format, lint, types, boundaries and unit tests, and how long each took; 45 s on two idle cores with warm
 * caches. `-- --no-tests` leaves the tests out, for a run of `npm test` that follows.
 */
import { bootstrap, root } from './bootstrap.mjs';
import { helpOnly } from './tasks/help.mjs';
import { run, printProgress } from './tasks/process.mjs';

helpOnly(`npm run check [-- --no-tests]

Format, lint, types, boundaries and unit tests, and how long each took.

  --no-tests    leave the tests out
  --help        print this text

Exit status: 0 all green, 1 something failed.
`);

const startMs = performance.now();
await bootstrap();
const npx = (...args) => [process.execPath, [`${root}/node_modules/${args[0]}`, ...args.slice(1)]];
const byContent = ['--cache', '--cache-strategy', 'content', '--cache-location'];
// Typed rules read other files too, which a cache by file does not notice: good enough while working, not for CI.
const lintCache = process.env.CI === 'true' ? [] : [...byContent, '.cache/eslint/'];
/** Lanes run side by side: lint is the longest without its cache, the tests are with it. */
const lanes = [
  [['lint', npx('eslint/bin/eslint.js', '--max-warnings', '0', ...lintCache, '.')]],
  [
    ['types', npx('typescript/bin/tsc', '-p', '.')],
    ['types of the page', npx('typescript/bin/tsc', '-p', 'app')],
    ['types of its worker', npx('typescript/bin/tsc', '-p', 'app/worker')],
    ['types of the tests', npx('typescript/bin/tsc', '-p', 'test')],
    ['format', npx('prettier/bin/prettier.cjs', '--check', ...byContent, '.cache/prettier', '.')],
  ],
];
if (!process.argv.includes('--no-tests')) {
  lanes.push([
    ['boundaries and unit tests', npx('vitest/vitest.mjs', 'run', '--project', 'unit', '--reporter', 'dot')],
  ]);
}

const failed = [];
await Promise.all(
  lanes.map(async (lane) => {
    for (const [title, [command, args]] of lane) {
      const { status, output, seconds } = await run(command, args, { capture: true, cwd: root });
      printProgress(`${status === 0 ? 'ok    ' : 'FAILED'} ${title} (${seconds.toFixed(1)} s)`);
      if (status !== 0) {
        failed.push(title);
        printProgress(output);
      }
    }
  }),
);
const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
console.log(failed.length === 0 ? `check: all green in ${seconds} s` : `check: ${failed.join(', ')} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
