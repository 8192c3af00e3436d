import { expect, it } from 'vitest';
import { Backlogs } from '../../../../cloud/push/backlogs.js';
import type { PushKind } from '../../../../cloud/push/choices.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;

function opened() {
  const clock = new VirtualClock();
  const summaries: { readonly device: number | undefined; readonly counts: Record<string, number> }[] = [];
  const backlogs = new Backlogs({
    clock,
    onDue: ({ device }, counts) => {
      summaries.push({ device: device[0], counts: Object.fromEntries(counts) });
    },
  });
  const add = (kind: PushKind = 'motion', device = 1): boolean =>
    backlogs.add({ device: new Uint8Array(32).fill(device), epoch: 1 }, kind);
  return { clock, summaries, backlogs, add };
}

it('gives one summary of a camera, half a minute after the last of what came late', () => {
  const { clock, summaries, add } = opened();
  for (let i = 0; i < 60; i++) {
    add(i % 20 === 0 ? 'tamper' : 'motion');
    clock.advance(20 * SECOND_MS);
  }
  expect(summaries).toEqual([]);
  clock.advance(9 * SECOND_MS);
  expect(summaries).toEqual([]);
  clock.advance(SECOND_MS);
  expect(summaries).toEqual([{ device: 1, counts: { tamper: 3, motion: 57 } }]);
  clock.advance(HOUR_MS);
  expect([summaries.length, clock.pending]).toEqual([1, 0]);
});

it('gives one an hour of a camera that brings everything late, and all that came', () => {
  const { clock, summaries, add } = opened();
  for (let minute = 0; minute < 240; minute++) {
    add();
    clock.advance(60 * SECOND_MS);
  }
  expect(summaries.length).toBeGreaterThanOrEqual(4);
  expect(summaries.length).toBeLessThanOrEqual(5);
  clock.advance(HOUR_MS);
  expect(summaries.reduce((sum, { counts }) => sum + (counts['motion'] ?? 0), 0)).toBe(240);
});

it('keeps cameras apart', () => {
  const { clock, summaries, add } = opened();
  add('motion', 1);
  add('loss', 2);
  clock.advance(30 * SECOND_MS);
  expect(summaries).toEqual([
    { device: 1, counts: { motion: 1 } },
    { device: 2, counts: { loss: 1 } },
  ]);
});

it('says nothing after it was stopped', () => {
  const { clock, summaries, backlogs, add } = opened();
  add();
  backlogs.stop();
  clock.advance(HOUR_MS);
  expect([summaries, clock.pending]).toEqual([[], 0]);
});

it('holds a bounded number of cameras', () => {
  const { backlogs, clock } = opened();
  const at = (n: number) => ({ device: new Uint8Array(new Uint32Array([n, 0, 0, 0, 0, 0, 0, 0]).buffer), epoch: 1 });
  for (let n = 0; n < 50_000; n++) backlogs.add(at(n), 'motion');
  expect(backlogs.add(at(50_000), 'motion')).toBe(false);
  // One that has a backlog already is counted.
  expect(backlogs.add(at(1), 'motion')).toBe(true);
  expect(clock.pending).toBe(50_000);
  backlogs.stop();
});
