import { describe, expect, it } from 'vitest';
import { coverageOf, withCoverage } from '../../../../scripts/score/report.js';
import { scoreOf, tallyOf } from '../../../../scripts/score/rules.js';

const clip = { file: 'x.mp4', fps: 10, frames: 1000, motion: [[300, 400]] } as const;

describe('scoring rules', () => {
  it('give perfect labels a perfect score', () => {
    expect(scoreOf([tallyOf(clip, [[300, 400]])])).toMatchObject({ f1: 1, falseEvents: 0, falseTime: 0 });
  });

  it('count ten-second units of a detector that is always on', () => {
    // Between warm-up and the dilated interval lie 27 s, after it 57.9 s: nine units, the last one incomplete.
    const tally = tallyOf(clip, [[0, 999]]);
    expect(tally).toMatchObject({ trueEvents: 0, falseEvents: 1, falseUnits: 9, detected: 0 });
    expect(scoreOf([tally]).f1).toBe(0);
  });

  it('count missed motion, and ignore events in the warm-up', () => {
    expect(scoreOf([tallyOf(clip, [])])).toMatchObject({ recall: 0, precision: 1 });
    expect(tallyOf(clip, [[0, 19]])).toMatchObject({ trueEvents: 0, falseEvents: 0 });
  });

  it('count an event that starts one second before its interval as true, and one of two seconds before as false', () => {
    expect(tallyOf(clip, [[290, 380]])).toMatchObject({ trueEvents: 1, falseEvents: 0, detected: 1 });
    expect(tallyOf(clip, [[280, 380]])).toMatchObject({ trueEvents: 0, falseEvents: 1, detected: 1 });
  });

  it('measure the onset from each label, and the share of the labelled time in which an event is open', () => {
    // Frames 310 to 350 of the 101 from 300 to 400; what is open outside of labels adds nothing.
    const late = tallyOf(clip, [
      [310, 350],
      [390, 600],
    ]);
    expect(late.onsetsS).toEqual([1]);
    expect(scoreOf([late]).coverage).toBeCloseTo(52 / 101);
    expect(scoreOf([tallyOf(clip, [[300, 400]])])).toMatchObject({ coverage: 1, onsetP90S: 0 });
    expect(scoreOf([tallyOf(clip, [])])).toMatchObject({ coverage: 0, onsetP90S: null });
    expect(scoreOf([tallyOf({ ...clip, motion: [] }, [])]).coverage).toBe(1);
  });

  it('add the coverage to the report of the scorer, and to each of its clips', () => {
    const empty = { ...clip, file: 'empty.mp4', motion: [] };
    // An event without an end is open until the clip ends.
    const coverage = coverageOf([clip, empty], new Map([['x.mp4', '{"clip":"x","start_frame":380}\n']]));
    const report = JSON.stringify({ total: { gt: 1 }, clips: [{ clip: 'x' }, { clip: 'empty' }] });
    expect(JSON.parse(withCoverage(report, coverage))).toEqual({
      coverage: 2.1 / 10.1,
      total: { gt: 1 },
      clips: [
        { clip: 'x', coverage: 2.1 / 10.1 },
        { clip: 'empty', coverage: null },
      ],
    });
  });
});
