#!/usr/bin/env node
/**
 * `npm run check`: format, lint, types, boundaries and unit tests; aims at a minute on two cores, and says how long it took.
 * `-- --no-tests` leaves the tests out, for whoever runs `npm test` next.
 */
import { bootstrap, root } from './bootstrap.mjs';
import { run, say } from './tasks/process.mjs';

const begun = performance.now();
await bootstrap();
const npx = (...args) => [process.execPath, [`${root}/node_modules/${args[0]}`, ...args.slice(1)]];
// Typed rules see other files too, which a cache by file does not notice: good enough while working, not for CI.
const cache =
  process.env.CI === 'true' ? [] : ['--cache', '--cache-strategy', 'content', '--cache-location', '.cache/eslint/'];
/** Two lanes, one for each core. */
const lanes = [
  [['lint', npx('eslint/bin/eslint.js', '--max-warnings', '0', ...cache, '.')]],
  [
    ['types', npx('typescript/bin/tsc', '-p', '.')],
    ['types of the page', npx('typescript/bin/tsc', '-p', 'app')],
    ['types of the tests', npx('typescript/bin/tsc', '-p', 'test')],
    ['format', npx('prettier/bin/prettier.cjs', '--check', '--cache', '--cache-location', '.cache/prettier', '.')],
    ...(process.argv.includes('--no-tests')
      ? []
      : [['boundaries and unit tests', npx('vitest/vitest.mjs', 'run', '--project', 'unit', '--reporter', 'dot')]]),
  ],
];

const failed = [];
await Promise.all(
  lanes.map(async (lane) => {
    for (const [title, [command, args]] of lane) {
      const { status, output, seconds } = await run(command, args, { capture: true, cwd: root });
      say(`${status === 0 ? 'ok    ' : 'FAILED'} ${title} (${seconds.toFixed(1)} s)`);
      if (status !== 0) {
        failed.push(title);
        say(output);
      }
    }
  }),
);
const took = ((performance.now() - begun) / 1000).toFixed(0);
console.log(failed.length === 0 ? `check: all green in ${took} s` : `check: ${failed.join(', ')} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
