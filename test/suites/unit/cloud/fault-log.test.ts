import { expect, it } from 'vitest';
import { FaultLog } from '../../../../cloud/alarms/fault-log.js';
import { testLog, type LogEntry } from '../../../support/worlds/test-agent.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

it('logs a fault once a minute for each code, with the number of repeats in between', () => {
  const clock = new VirtualClock();
  const lines: LogEntry[] = [];
  const faults = new FaultLog(clock, testLog(lines));
  for (let i = 0; i < 500; i++) faults.error('store-unavailable', { device: null }, 'no receipt');
  faults.error('internal', { device: null }, 'no receipt');
  expect(lines.map(({ code }) => code)).toEqual(['store-unavailable', 'internal']);
  clock.advance(60_001);
  faults.error('store-unavailable', { device: null }, 'no receipt');
  expect(lines.at(-1)).toMatchObject({ code: 'store-unavailable', sinceLast: 499 });
});
