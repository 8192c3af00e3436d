import { describe, expect, it } from 'vitest';
import type { HistoryMark, MarkKind } from '../../../../app/core/camera-log.js';
import { summaryOf } from '../../../../app/core/list-summary.js';
import type { TimelineEvent } from '../../../../app/core/timeline.js';

const event = (verdict: TimelineEvent['verdict']): TimelineEvent => ({ verdict }) as TimelineEvent;
const mark = (kind: MarkKind): HistoryMark => ({ kind }) as HistoryMark;

describe('the summary of a list', () => {
  it.each(['lost', 'missing', 'late', 'refused'] as const)(
    'does not say that nothing is missing beside a place that is %s',
    (kind) => {
      const list = { events: [event('intact')], marks: [mark(kind), mark('waiting')] };
      expect(summaryOf(list)).toEqual({ state: 'noted', events: 0, places: 1 });
    },
  );

  it.each(['deleted', 'expired'] as const)('takes what was %s, and signed for, as nothing missing', (kind) => {
    expect(summaryOf({ events: [event('intact')], marks: [mark(kind)] }).state).toBe('intact');
  });

  it('says where records may still arrive, and counts events with another verdict', () => {
    expect(summaryOf({ events: [event('intact')], marks: [mark('waiting')] }).state).toBe('coming');
    expect(summaryOf({ events: [event('incomplete'), event('intact')], marks: [] })).toEqual({
      state: 'noted',
      events: 1,
      places: 0,
    });
    expect(summaryOf({ events: [event('intact')], marks: [] })).toEqual({ state: 'intact', events: 0, places: 0 });
  });
});
