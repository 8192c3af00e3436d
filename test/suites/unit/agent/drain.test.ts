import { describe, expect, it } from 'vitest';
import {
  nextTokenMs,
  refill,
  slowDown,
  startDrain,
  spendBacklog,
  spendClip,
  spendLive,
  withCloudInterval,
} from '../../../../agent/uplink/drain.js';
import { Outstanding } from '../../../../agent/uplink/outstanding.js';
import { countRecords, rateOf, startMeter } from '../../../../agent/uplink/rate-meter.js';

describe('drain', () => {
  it('lets live records leave immediately, four in a burst', () => {
    let state = startDrain(0, 0, null);
    for (let i = 0; i < 4; i++) {
      const next = spendLive(state);
      expect(next).not.toBeNull();
      state = next ?? state;
    }
    expect(spendLive(state)).toBeNull();
    expect(spendLive(refill(state, 500))).not.toBeNull();
  });

  it('has tokens of their own for the records of clips, which take live ones only when those are used up', () => {
    let state = startDrain(0, 0, null);
    const { live } = state;
    for (let i = 0; i < 3; i++) state = spendClip(state) ?? state;
    expect(state.live).toBe(live);
    // The control: records of events would have used them.
    state = spendClip(state) ?? state;
    expect(state.live).toBe(live - 1);
    expect(refill(state, 2000).clip).toBe(2);
  });

  it('starts the backlog with an empty bucket, at one record in two minutes or five times the own rate', () => {
    const idle = startDrain(0, 0, null);
    expect(spendBacklog(idle)).toBeNull();
    expect(nextTokenMs(idle, 'backlog')).toBe(120_000);
    const busy = startDrain(0, 1 / 60_000, null);
    expect(nextTokenMs(busy, 'backlog')).toBeCloseTo(12_000);
    expect(spendBacklog(refill(busy, 11_000))).toBeNull();
    expect(spendBacklog(refill(busy, 12_001))).not.toBeNull();
  });

  it('never saves up backlog tokens: after a pause there is no burst', () => {
    const later = refill(startDrain(0, 1 / 1000, null), 3_600_000);
    const one = spendBacklog(later);
    expect(one).not.toBeNull();
    expect(one === null ? null : spendBacklog(one)).toBeNull();
  });

  it('halves its rate when the quota is exceeded, and keeps to an interval of the cloud', () => {
    const state = startDrain(0, 1 / 10_000, null);
    expect(slowDown(state).rate).toBeCloseTo(state.rate / 2);
    expect(nextTokenMs(withCloudInterval(state, 7000), 'backlog')).toBeCloseTo(7000);
    expect(slowDown(withCloudInterval(state, 7000)).cloudIntervalMs).toBe(14_000);
  });
});

describe('own rate', () => {
  it('is an average that decays slowly, and 0 until enough time was observed', () => {
    let state = startMeter(0);
    state = countRecords(state, 5000, 10);
    expect(rateOf(state)).toBe(0);
    for (let minute = 1; minute <= 600; minute++) state = countRecords(state, 60_000 * minute, 1);
    expect(rateOf(state) * 60_000).toBeGreaterThan(0.9);
    expect(rateOf(state) * 60_000).toBeLessThan(1.2);
  });
});

describe('outstanding', () => {
  const place = (seq: number): { epoch: number; seq: number } => ({ epoch: 1, seq });

  it('sends again after 60 s, doubling to 15 min, jittered', () => {
    const outstanding = new Outstanding(8, 8);
    const waits: number[] = [];
    let nowMs = 0;
    for (let i = 0; i < 7; i++) {
      outstanding.markSending(place(1), true, 0);
      outstanding.markSent(place(1), nowMs, 0, 0.5);
      waits.push(outstanding.nextDueMs() - nowMs);
      expect(outstanding.due(nowMs)).toBeNull();
      nowMs = outstanding.nextDueMs();
      expect(outstanding.due(nowMs)?.place).toEqual(place(1));
    }
    expect(waits.slice(0, 4)).toEqual([60_000, 120_000, 240_000, 480_000]);
    expect(Math.max(...waits) * 1.25).toBeLessThanOrEqual(900_000);
  });

  it('keeps places for live records when the backlog has filled its own', () => {
    const outstanding = new Outstanding(2, 3);
    for (let seq = 0; seq < 3; seq++) outstanding.markSending(place(seq), false, 0);
    expect(outstanding.hasRoom('backlog')).toBe(false);
    expect(outstanding.hasRoom('live')).toBe(true);
    outstanding.markReceipted(1, 0, 1);
    expect(outstanding.hasRoom('backlog')).toBe(true);
    expect(outstanding.size).toBe(1);
    outstanding.markReceipted(2, 0, 9);
    expect(outstanding.size).toBe(1);
  });
});
