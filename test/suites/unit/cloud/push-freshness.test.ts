import { describe, expect, it } from 'vitest';
import { FRESH_MAX_MS, Freshness } from '../../../../cloud/push/freshness.js';
import type { RecordTime } from '../../../../protocol/objects/record.js';

const NOW_MS = Date.UTC(2026, 10, 30, 12);
const DEVICE = new Uint8Array(32).fill(1);
const BOOT = new Uint8Array(16).fill(2);
const HOUR_MS = 3_600_000;

/** One camera that booted an hour before the cloud did; each record is the next one that arrives. */
class ArrivalWorld {
  private readonly freshness = new Freshness();
  private nowMs = HOUR_MS;

  /** Whether a record of an age is fresh, `afterMs` after the one before. */
  arrives(
    ageMs: number,
    quality: RecordTime['quality'] | null,
    { afterMs = 0, wrongMs = 0, boot = BOOT } = {},
  ): boolean {
    this.nowMs += afterMs;
    const receivedAtMs = NOW_MS + this.nowMs;
    const wallMs = quality === null ? null : receivedAtMs - ageMs + wrongMs;
    const time = { boot, monotonicMs: 2 * HOUR_MS + this.nowMs - ageMs, wallMs, quality: quality ?? 'unset' };
    return this.freshness.isFresh(DEVICE, time, receivedAtMs, this.nowMs);
  }
}

describe('a record of a camera whose clock the network set', () => {
  it.each([
    [0, true],
    [FRESH_MAX_MS, true],
    [FRESH_MAX_MS + 1, false],
    [HOUR_MS, false],
    [-FRESH_MAX_MS, true],
    // Ahead: no clock is right about the future, and nothing else is known of this camera yet.
    [-FRESH_MAX_MS - 1, false],
  ])('of %i ms ago is fresh: %s', (ageMs, isFresh) => {
    expect(FRESH_MAX_MS).toBe(5 * 60_000);
    expect(new ArrivalWorld().arrives(ageMs, 'ntp')).toBe(isFresh);
  });

  it('is late by that clock, however soon it arrives after others', () => {
    const world = new ArrivalWorld();
    world.arrives(0, 'ntp');
    expect(world.arrives(0, 'ntp', { afterMs: 120_000, wrongMs: -HOUR_MS })).toBe(false);
    expect(world.arrives(0, 'ntp', { wrongMs: HOUR_MS })).toBe(true);
  });
});

describe('a record of a camera whose clock nobody set', () => {
  it('is late until a minute has shown how its time runs', () => {
    const world = new ArrivalWorld();
    expect(world.arrives(0, null)).toBe(false);
    expect(world.arrives(0, null, { afterMs: 59_999 })).toBe(false);
    expect(world.arrives(0, null, { afterMs: 1 })).toBe(true);
    expect(world.arrives(FRESH_MAX_MS, null)).toBe(true);
    expect(world.arrives(FRESH_MAX_MS + 1, null)).toBe(false);
  });

  it('is late while a backlog arrives, each sooner than the one before', () => {
    const world = new ArrivalWorld();
    for (let minutes = 60; minutes > 0; minutes--) {
      expect(world.arrives(minutes * 60_000, null, { afterMs: 2000 })).toBe(false);
    }
    expect(world.arrives(0, null, { afterMs: 2000 })).toBe(false);
    expect(world.arrives(0, null, { afterMs: 60_000 })).toBe(true);
  });

  it('is late after a restart, whose time begins again', () => {
    const world = new ArrivalWorld();
    world.arrives(0, null);
    expect(world.arrives(0, null, { afterMs: 60_000 })).toBe(true);
    expect(world.arrives(0, null, { boot: new Uint8Array(16).fill(3) })).toBe(false);
  });

  it('is fresh by how its time runs where its battery clock is wrong by an hour', () => {
    const world = new ArrivalWorld();
    expect(world.arrives(0, 'rtc', { wrongMs: -HOUR_MS })).toBe(false);
    expect(world.arrives(0, 'rtc', { wrongMs: -HOUR_MS, afterMs: 60_000 })).toBe(true);
    expect(world.arrives(HOUR_MS / 2, 'rtc', { wrongMs: -HOUR_MS })).toBe(false);
  });
});
