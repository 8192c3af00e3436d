import { describe, expect, it } from 'vitest';
import {
  applyRepeat,
  readReport,
  repeatsOf,
  sum,
  type SuiteResult,
  type VitestReport,
} from '../../../../scripts/tasks/suite-results.js';

const FILE = 'test/suites/integration/a.test.ts';

interface Outcome {
  readonly title: string;
  readonly status: string;
}

function report(tests: readonly Outcome[], file = FILE): VitestReport {
  const hasFailed = tests.some(({ status }) => status === 'failed');
  const assertionResults = tests.map(({ title, status }) => ({
    status,
    ancestorTitles: ['outer'],
    title,
    failureMessages: status === 'failed' ? [`\u001b[31mwhy ${title}\u001b[0m\nand where`] : [],
  }));
  return { testResults: [{ name: `/root/${file}`, status: hasFailed ? 'failed' : 'passed', assertionResults }] };
}

function read(suite: string, tests: readonly Outcome[], status = 0): SuiteResult {
  return readReport(suite, report(tests), status, '/root');
}

const good = { title: 'good (1+1)', status: 'passed' };
const bad = { title: 'bad (1+1)', status: 'failed' };

describe('results of suites', () => {
  it('count what passed, failed and did not run, with the remedy', () => {
    const result = read('interop', [
      good,
      bad,
      { title: 'vectors (not run: x.json not found; get it)', status: 'skipped' },
      { title: 'later', status: 'todo' },
    ]);
    const { passed, failed, text } = sum([result], [], [], false);
    expect({ passed, failed }).toEqual({ passed: 1, failed: 1 });
    expect(text).toContain(`Not run:\n  interop: vectors [${FILE}]\n    x.json not found; get it`);
    expect(text).toContain(`Failed:\n  interop: outer › bad (1+1) [${FILE}]\n    why bad (1+1)`);
    expect(text).toContain('interop: later');
    expect(sum([result], [], [], true).failed).toBe(2);
  });

  it('are a failure where the runner crashed, left no report or found no test', () => {
    expect(read('unit', [good], 1).failures).toHaveLength(1);
    expect(readReport('unit', null, 1, '/root').failures).toHaveLength(1);
    expect(readReport('unit', { testResults: [] }, 0, '/root').failures).toMatchObject([
      { output: 'it found no test' },
    ]);
    expect(read('unit', [good], 0).failures).toEqual([]);
  });

  it('are a failure where a file does not load', () => {
    const broken = { name: `/root/${FILE}`, status: 'failed', message: 'no such module', assertionResults: [] };
    const result = readReport('contract', { testResults: [broken] }, 1, '/root');
    expect(result.failures).toMatchObject([{ file: FILE, titles: null, output: 'no such module' }]);
    expect(repeatsOf(result)).toEqual([{ suite: 'contract', file: FILE, pattern: null }]);
  });
});

describe('what failed', () => {
  it('is repeated by its exact name in suites of real processes, and by the file in the browser', () => {
    const [repeat] = repeatsOf(read('integration', [good, bad], 1));
    expect(new RegExp(repeat?.pattern ?? '').test('outer bad (1+1)')).toBe(true);
    expect(new RegExp(repeat?.pattern ?? '').test('outer bad (1+1) too')).toBe(false);
    expect(new RegExp(repeat?.pattern ?? '').test('outer good (1+1)')).toBe(false);
    expect(repeatsOf(read('browser', [good, bad], 1))).toEqual([{ suite: 'browser', file: FILE, pattern: null }]);
  });

  it.each(['unit', 'adversarial', 'interop', 'unit-node22'])('is never repeated in %s: the control', (suite) => {
    expect(repeatsOf(read(suite, [good, bad], 1))).toEqual([]);
  });

  it('is not repeated where much failed, nor where the runner crashed', () => {
    const many = Array.from({ length: 9 }, (_, i) => ({ title: String(i), status: 'failed' }));
    expect(repeatsOf(read('integration', many, 1))).toEqual([]);
    expect(repeatsOf(read('integration', [good], 1))).toEqual([]);
  });
});

describe('a repeat', () => {
  const first = read('integration', [good, bad, { title: 'worse', status: 'failed' }], 1);
  const [repeat] = repeatsOf(first);
  if (repeat === undefined) throw new Error('nothing is repeated');

  it('names as unsteady what passed the second time, with its first output, and fails what failed again', () => {
    const second = read('integration', [
      { ...bad, status: 'passed' },
      { title: 'worse', status: 'failed' },
    ]);
    const { result, unsteady } = applyRepeat(first, repeat, second);
    expect(unsteady).toMatchObject([{ title: 'outer › bad (1+1)', firstOutput: 'why bad (1+1)\nand where' }]);
    const { passed, failed, text } = sum([result], [], unsteady, true);
    expect({ passed, failed }).toEqual({ passed: 2, failed: 1 });
    expect(text).toContain('Unsteady');
    expect(text).toContain('why bad (1+1)');
    expect(text).toContain(`Failed:\n  integration: outer › worse`);
  });

  it('changes nothing where it did not run: the control', () => {
    const skipped = [{ ...bad, status: 'skipped' }];
    expect(applyRepeat(first, repeat, read('integration', skipped)).result.failures).toHaveLength(2);
    const crashed = applyRepeat(first, repeat, read('integration', [{ ...bad, status: 'passed' }], 1));
    expect(crashed.result.failures).toHaveLength(2);
    expect(crashed.unsteady).toEqual([]);
  });

  it('of a whole file counts its tests', () => {
    const broken = { name: `/root/${FILE}`, status: 'failed', message: 'port in use', assertionResults: [] };
    const whole = readReport('contract', { testResults: [broken] }, 1, '/root');
    const [again] = repeatsOf(whole);
    if (again === undefined) throw new Error('nothing is repeated');
    const { result, unsteady } = applyRepeat(whole, again, read('contract', [good, { ...bad, status: 'passed' }]));
    expect(result).toMatchObject({ passed: 2, failures: [] });
    expect(unsteady).toMatchObject([{ title: 'the file itself', firstOutput: 'port in use' }]);
  });
});
