import { expect, it } from 'vitest';
import { Refusals, type Refusal } from '../../../../cloud/alarms/refusals.js';
import { openSqliteStore } from '../../../../cloud/store/sqlite/sqlite-store.js';
import { Counters } from '../../../../common/counters.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { testLog, type LogEntry } from '../../../support/worlds/test-agent.js';

it('a camera that is refused without end fills neither the log nor the quarantine, and hides no other', async () => {
  const store = openSqliteStore(':memory:');
  const counters = new Counters();
  const clock = new VirtualClock();
  const log: LogEntry[] = [];
  const refusals = new Refusals({ store, clock, counters, log: testLog(log) });
  const refusal = (byte: number): Refusal => ({
    place: 'ingest',
    verdict: 'malformed',
    device: new Uint8Array(32).fill(byte),
    epoch: null,
    reader: null,
    reason: 'not a record',
    bytes: Uint8Array.of(byte),
  });
  for (let i = 0; i < 500; i++) await refusals.recordRefusal(refusal(1));
  // 30, and one line that says that the rest is only counted.
  expect(log).toHaveLength(31);
  expect(log.at(-1)?.msg).toContain('only counted');
  expect(await store.quarantine.count()).toBe(30);
  expect(counters.snapshot()).toMatchObject({ 'refused.malformed': 500, 'quarantine.full': 470 });
  await refusals.recordRefusal(refusal(2));
  expect(log).toHaveLength(32);
  clock.advance(60_000);
  await refusals.recordRefusal(refusal(1));
  expect(log).toHaveLength(33);
  await store.close();
});
