/** Runs suites with vitest and reads what they come to. Needs a built checkout: the sums are in dist/. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../bootstrap.mjs';
import { run, printProgress } from './process.mjs';

const sums = () => import('../../dist/scripts/tasks/suite-results.js');
const results = join(root, '.cache', 'results');
/** A suite prints each file that ends. One that is silent for this long does not end: files take minutes. */
const SILENT_MS = 20 * 60_000;
/** The status of a command that was ended for its silence. */
const SILENT = 124;
const UNSTEADY = join(results, 'unsteady.json');

/**
 * Runs one project of vitest.config.ts, in `folder` with `node`. `args` are more arguments for vitest; with `capture` its
 * output is in the answer, else on stderr. Resolves with {result, output, seconds}.
 */
export async function runSuite(name, options = {}) {
  const {
    project = name,
    node = process.execPath,
    folder = root,
    args = [],
    env = {},
    capture = false,
    nice = false,
  } = options;
  const { readReport } = await sums();
  mkdirSync(results, { recursive: true });
  const report = join(results, `${name}.json`);
  rmSync(report, { force: true });
  const reporters = ['--reporter', 'default', '--reporter', 'json', '--outputFile', report];
  const command = [
    join(folder, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--project',
    project,
    ...reporters,
    ...args,
  ];
  // Suites run side by side, and vitest writes its cache as a whole.
  const environment = { ...process.env, TESTS_CACHE: join(root, '.cache', 'vitest', name), ...env };
  const ended = await run(node, command, { cwd: folder, env: environment, capture, nice, silentMs: SILENT_MS });
  const { status, seconds } = ended;
  const output = status === SILENT ? `${ended.output}${unended(project, ended.output)}` : ended.output;
  return { result: readReport(name, readJson(report), status, folder), output, seconds };
}

/** Names the files of a suite that do not appear in its output: one of them does not end. */
function unended(project, output) {
  const suite = join('test', 'suites', project);
  const files = readdirSync(join(root, suite), { recursive: true }).filter((file) => file.endsWith('.test.ts'));
  const left = files.map((file) => join(suite, file)).filter((file) => !output.includes(file));
  return `Of these files it said nothing, and one of them does not end:\n${left.map((file) => `  ${file}\n`).join('')}`;
}

/**
 * Runs once more, alone, what failed in suites of real processes. Resolves with {results, unsteady}; what is unsteady is
 * also added to .cache/results/unsteady.json.
 */
export async function repeatFailures(firstResults, options = {}) {
  const { repeatsOf, applyRepeat } = await sums();
  const settled = [];
  const unsteady = [];
  for (let result of firstResults) {
    for (const repeat of repeatsOf(result)) {
      const { suite, file, pattern } = repeat;
      printProgress(`\n${suite}: what failed in ${file} runs once more, alone.`);
      const args = [file, ...(pattern === null ? [] : ['-t', pattern])];
      const again = await runSuite(`${suite}-again`, { ...options, project: suite, args });
      const outcome = applyRepeat(result, repeat, again.result);
      result = outcome.result;
      unsteady.push(...outcome.unsteady);
    }
    settled.push(result);
  }
  if (unsteady.length > 0) {
    const before = readJson(UNSTEADY) ?? [];
    const now = unsteady.map((one) => ({ date: new Date().toISOString(), ...one }));
    writeFileSync(UNSTEADY, `${JSON.stringify([...before, ...now], null, 2)}\n`);
    printProgress(`Unsteady tests are kept in ${UNSTEADY}.`);
  }
  return { results: settled, unsteady };
}

/** Returns a file's JSON, or null where the file is missing or not valid. */
export function readJson(path) {
  if (!existsSync(path)) return null;
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
