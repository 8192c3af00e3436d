import { describe, expect, it } from 'vitest';
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
});
