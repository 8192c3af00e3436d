import { describe, expect, it } from 'vitest';
import { comparisonText, compareWithSaved } from '../../../../scripts/bench/against-saved.js';
import type { Figure } from '../../../../scripts/bench/measure.js';

const figure = (name: string, ratio: number, spread: Figure['spread']): Figure => ({
  name,
  us: ratio * 10,
  floor: 'the floor',
  floorUs: 10,
  ratio,
  spread,
});
const saved = (...stages: Figure[]): unknown => ({ commit: 'abc1234', machine: 'linux x64, 2 × a core', stages });
const changesOf = (was: Figure, is: Figure): string[] =>
  compareWithSaved('bench', saved(was), [is]).figures.map(({ change }) => change);

describe('bench --compare', () => {
  it('names what got worse by more than either run varied', () => {
    expect(changesOf(figure('seal', 2, [1.8, 2.2]), figure('seal', 2.5, [2.3, 2.7]))).toEqual(['worse']);
    expect(changesOf(figure('seal', 2, [1.8, 2.2]), figure('seal', 1.5, [1.3, 1.7]))).toEqual(['better']);
  });

  it('takes what lies within the noise of one of the two for no change', () => {
    expect(changesOf(figure('seal', 2, [1.8, 2.4]), figure('seal', 2.5, [2.3, 2.7]))).toEqual(['same']);
  });

  it('does not guess the noise of a run that kept no pairs', () => {
    expect(changesOf(figure('seal', 2, null), figure('seal', 20, [19, 21]))).toEqual(['unknown']);
  });

  it('finds figures deep in a result, tells equal names apart by their floors, and names what only one run has', () => {
    const other = { ...figure('seal', 9, [8, 10]), floor: 'another floor' };
    const was = { verify: [{ keys: 1, figure: figure('verify', 2, [1, 3]) }], stages: [other] };
    const run = compareWithSaved('bench', was, [figure('seal', 1, [1, 1]), figure('verify', 2, [1, 3])]);
    expect(run.figures.map(({ name, change }) => [name, change])).toEqual([['verify', 'same']]);
    expect(run.onlyHere).toEqual(['seal × the floor']);
    expect(run.onlySaved).toEqual(['seal × another floor']);
  });

  it('prints what it compared with and every figure that changed', () => {
    const run = compareWithSaved('bench', saved(figure('seal', 2, [1.8, 2.2])), [figure('seal', 3, [2.9, 3.1])]);
    const text = comparisonText(run);
    expect(text).toContain('docs/results/bench.json (commit abc1234, linux x64, 2 × a core)');
    expect(text).toContain('worse by more than both runs vary: 1\n  seal: 2 → 3 × the floor');
    expect(comparisonText(undefined)).toBe('');
  });
});
