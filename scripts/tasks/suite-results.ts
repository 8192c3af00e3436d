import { relative } from 'node:path';

/**
 * What the suites of `npm test` and `npm run test:armv7` come to: reads vitest's reports, decides what is run once more, sums.
 * Pure; scripts/test.mjs and scripts/test-armv7.mjs run the suites.
 */

/** Of vitest's JSON report, what is read here. */
export interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

export interface Failure {
  readonly suite: string;
  /** From the checkout's root; empty where the runner itself failed. */
  readonly file: string;
  /** Titles from the outermost `describe` to the test; null where the file failed as a whole. */
  readonly titles: readonly string[] | null;
  readonly output: string;
}

export interface NotRun {
  readonly what: string;
  readonly remedy: string;
}

export interface SuiteResult {
  readonly suite: string;
  readonly passed: number;
  /** Of the tests that passed, as {@link keyOf} makes them. */
  readonly passedKeys: readonly string[];
  readonly failures: readonly Failure[];
  readonly notRun: readonly NotRun[];
  /** Tests that are announced and not written. */
  readonly notWritten: readonly string[];
}

/** A test that failed once and passed when it was run again alone. */
export interface Unsteady {
  readonly suite: string;
  readonly file: string;
  readonly title: string;
  readonly firstOutput: string;
}

/** One run of vitest that repeats failed tests of one file. */
export interface Repeat {
  readonly suite: string;
  readonly file: string;
  /** For vitest's `-t`; null runs the whole file. */
  readonly pattern: string | null;
}

/** Suites of real processes, sockets and devices. Pure code has no excuse, so no other suite is ever repeated. */
const REPEATED: ReadonlySet<string> = new Set(['integration', 'contract', 'browser', 'armv7']);
/** Tests of the browser suite go on where the one before stopped, so its files are repeated whole. */
const WHOLE_FILES: ReadonlySet<string> = new Set(['browser']);
/** More failures than this in a suite are a fault and not unsteadiness. */
const REPEATED_FAILURES_MAX = 8;
const OUTPUT_LINES_MAX = 60;
const RUNNER = 'the runner itself';
const FILE = 'the file itself';

/** Reads the report of one suite; null where the runner left none. */
export function readReport(suite: string, report: VitestReport | null, status: number, root: string): SuiteResult {
  const passedKeys: string[] = [];
  const failures: Failure[] = [];
  const notRun: NotRun[] = [];
  const notWritten: string[] = [];
  for (const file of report?.testResults ?? []) {
    const path = relative(root, file.name).replaceAll('\\', '/');
    const skipped = new Set<string>();
    let hasFailed = false;
    for (const { status: outcome, ancestorTitles, title, failureMessages } of file.assertionResults) {
      const titles = [...ancestorTitles, title];
      if (outcome === 'passed') passedKeys.push(keyOf(path, titles));
      else if (outcome === 'failed') {
        hasFailed = true;
        failures.push({ suite, file: path, titles, output: clip((failureMessages ?? []).join('\n')) });
      } else if (outcome === 'todo') notWritten.push(`${suite}: ${title} [${path}]`);
      else skipped.add(titles.find((part) => part.includes('(not run:')) ?? title);
    }
    if (file.status === 'failed' && !hasFailed) {
      failures.push({ suite, file: path, titles: null, output: clip(file.message ?? '') });
    }
    for (const title of skipped) {
      const [what = title, remedy = 'skipped without a reason'] = title.split(/ \(not run: |\)$/);
      notRun.push({ what: `${suite}: ${what} [${path}]`, remedy });
    }
  }
  // A crash or an unhandled error fails no test, and a suite without tests passes nothing.
  const isSilent = status !== 0 && failures.length === 0;
  const isEmpty = passedKeys.length + failures.length + notRun.length + notWritten.length === 0;
  if (isSilent || isEmpty) {
    const output = isSilent ? `it ended with ${String(status)}, and no test says why` : 'it found no test';
    failures.push({ suite, file: '', titles: null, output });
  }
  return { suite, passed: passedKeys.length, passedKeys, failures, notRun, notWritten };
}

/** Returns the runs that repeat what failed in a suite: none for suites of pure code, nor where much failed. */
export function repeatsOf({ suite, failures }: SuiteResult): Repeat[] {
  if (!REPEATED.has(suite) || failures.length > REPEATED_FAILURES_MAX) return [];
  const files = new Set(failures.map(({ file }) => file).filter((file) => file !== ''));
  return [...files].map((file) => {
    const titles = failures.filter((failure) => failure.file === file).map((failure) => failure.titles);
    const isWhole = WHOLE_FILES.has(suite) || titles.includes(null);
    return { suite, file, pattern: isWhole ? null : patternOf(titles.filter((one) => one !== null)) };
  });
}

/** vitest matches `-t` against the titles from the outermost `describe` to the test, joined with spaces. */
function patternOf(titles: readonly (readonly string[])[]): string {
  const names = titles.map((parts) => parts.join(' ').replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return `^\\s*(${names.join('|')})$`;
}

/** Counts each failure of the repeated file that passed the second time as passed, and names it as unsteady. */
export function applyRepeat(
  first: SuiteResult,
  repeat: Repeat,
  second: SuiteResult,
): { readonly result: SuiteResult; readonly unsteady: readonly Unsteady[] } {
  const passedAgain = new Set(second.passedKeys);
  // Where the second run crashed nothing of it counts.
  const hasRun = second.failures.every(({ file }) => file !== '');
  const isSteady = ({ file, titles }: Failure): boolean => {
    if (file !== repeat.file || !hasRun) return true;
    if (titles === null) return second.failures.length > 0 || second.passed === 0;
    return !passedAgain.has(keyOf(file, titles));
  };
  const stay = first.failures.filter(isSteady);
  const gone = first.failures.filter((failure) => !isSteady(failure));
  const keys = gone.flatMap(({ file, titles }) => (titles === null ? second.passedKeys : [keyOf(file, titles)]));
  return {
    result: {
      ...first,
      passed: first.passed + keys.length,
      passedKeys: [...first.passedKeys, ...keys],
      failures: stay,
    },
    unsteady: gone.map(({ suite, file, titles, output }) => ({
      suite,
      file,
      title: titles?.join(' › ') ?? FILE,
      firstOutput: output,
    })),
  };
}

export interface Summary {
  readonly passed: number;
  readonly failed: number;
  /** For people; without the last line. */
  readonly text: string;
}

/** Sums the suites. With `isDemanded` what did not run is a failure. */
export function sum(
  results: readonly SuiteResult[],
  notRun: readonly NotRun[],
  unsteady: readonly Unsteady[],
  isDemanded: boolean,
): Summary {
  const missing = [...results.flatMap((result) => result.notRun), ...notRun];
  const failures = results.flatMap((result) => result.failures);
  const notWritten = results.flatMap((result) => result.notWritten);
  const lines: string[] = [];
  if (missing.length > 0) {
    lines.push(isDemanded ? 'Not run, and a failure because everything is demanded:' : 'Not run:');
    for (const { what, remedy } of missing) lines.push(`  ${what}`, `    ${remedy}`);
  }
  if (unsteady.length > 0) {
    lines.push('Unsteady (failed, and passed when run again alone):');
    for (const { suite, file, title, firstOutput } of unsteady) {
      lines.push(`  ${suite}: ${title} [${file}]`, indent(firstOutput));
    }
  }
  if (failures.length > 0) {
    lines.push('Failed:');
    for (const { suite, file, titles, output } of failures) {
      const title = titles?.join(' › ') ?? (file === '' ? RUNNER : FILE);
      lines.push(`  ${suite}: ${title}${file === '' ? '' : ` [${file}]`}`, indent(output.split('\n')[0] ?? ''));
    }
  }
  if (notWritten.length > 0) lines.push('Not written yet, so not passed:', ...notWritten.map((line) => `  ${line}`));
  return {
    passed: results.reduce((total, { passed }) => total + passed, 0),
    failed: failures.length + (isDemanded ? missing.length : 0),
    text: lines.join('\n'),
  };
}

/** Tells tests apart within a suite. */
export function keyOf(file: string, titles: readonly string[]): string {
  return `${file} › ${titles.join(' › ')}`;
}

/** Keeps an error's own lines: no terminal colours, no frames of the runner. */
function clip(text: string): string {
  // eslint-disable-next-line no-control-regex -- colours of a terminal
  const lines = text.replace(/\u001b\[[0-9;]*m/g, '').split('\n');
  const own = lines.filter((line) => !/^\s+at .*(node_modules|<anonymous>)/.test(line));
  return own.slice(0, OUTPUT_LINES_MAX).join('\n');
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
