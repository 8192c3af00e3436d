import { describe, expect, it } from 'vitest';
import { SealcamError } from '../../../../common/errors.js';
import { guard, guardAsync } from '../../../../common/guard.js';
import { testLog, type LogEntry } from '../../../support/worlds/test-agent.js';

describe('guard', () => {
  it('logs what was thrown with its code and hint, and reports the failure', () => {
    const entries: LogEntry[] = [];
    const isDone = guard(testLog(entries), 'the button had no effect', () => {
      throw new SealcamError('store-full', 'no space', { hint: 'Make room.' });
    });
    expect(isDone).toBe(false);
    expect(entries).toMatchObject([
      { level: 'error', code: 'store-full', hint: 'Make room.', msg: 'the button had no effect: no space' },
    ]);
  });

  it('logs nothing when the work succeeds', () => {
    const entries: LogEntry[] = [];
    expect(guard(testLog(entries), 'failed', () => undefined)).toBe(true);
    expect(entries).toEqual([]);
  });

  it('holds for work that returns a promise', async () => {
    const entries: LogEntry[] = [];
    const log = testLog(entries);
    expect(await guardAsync(log, 'no health record', () => Promise.reject(new Error('odd')))).toBe(false);
    expect(await guardAsync(log, 'no health record', () => Promise.resolve())).toBe(true);
    expect(entries).toMatchObject([{ code: 'internal', msg: 'no health record: odd' }]);
  });
});
