import { describe, expect, it } from 'vitest';
import { newCameraState, applyHealthReport } from '../../../../app/core/camera-state.js';
import { CLOCK_AHEAD_MAX_MS, plausibleWallMs } from '../../../../app/core/plausible-time.js';
import { Timeline, type TimelineEvent } from '../../../../app/core/timeline.js';
import { clockTime, dayName, fullTime, shortTime } from '../../../../app/ui/format.js';
import type { RecordHealth, RecordTime } from '../../../../protocol/objects/record.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { HEALTH } from '../../../support/worlds/cloud-world.js';

const RECEIVED_MS = Date.UTC(2026, 10, 29);
const FOREVER_MS = Number.MAX_SAFE_INTEGER;

function eventsAt(...wallTimes: readonly (number | null)[]): readonly TimelineEvent[] {
  const world = new CameraWorld();
  const claim = world.claim();
  const timeline = new Timeline();
  for (const [i, wallMs] of wallTimes.entries()) {
    const time: RecordTime = { ...world.time(i, wallMs), quality: wallMs === null ? 'unset' : 'ntp' };
    const event = { id: new Uint8Array(16).fill(i), phase: 'single', revision: 0 } as const;
    const record = world.record(claim, i + 1, claim.hash, { kind: 'snapshot', event, time });
    timeline.add({ record, receivedAtMs: RECEIVED_MS + i });
  }
  return timeline.events(() => ({ verdict: 'intact' }));
}

describe('a signed time that cannot be', () => {
  it('is unknown: a day after the receipt, or past every calendar; the control a camera that is an hour ahead', () => {
    expect(plausibleWallMs(RECEIVED_MS + CLOCK_AHEAD_MAX_MS + 1, RECEIVED_MS)).toBeNull();
    expect(plausibleWallMs(FOREVER_MS, RECEIVED_MS)).toBeNull();
    expect(plausibleWallMs(RECEIVED_MS + 3_600_000, RECEIVED_MS)).toBe(RECEIVED_MS + 3_600_000);
    // An outbox drains late: a record may be much older than its receipt.
    expect(plausibleWallMs(0, RECEIVED_MS)).toBe(0);
  });

  it('is marked, and does not put an event before those that are newer', () => {
    const [first, second, third] = eventsAt(RECEIVED_MS, FOREVER_MS, RECEIVED_MS + 5000);
    expect([first, second, third].map((event) => event?.startedAtMs)).toEqual([RECEIVED_MS + 5000, null, RECEIVED_MS]);
    expect([first, second, third].map((event) => event?.hasImpossibleTime)).toEqual([false, true, false]);
    // A clock that was never set is another matter.
    expect(eventsAt(null)).toMatchObject([{ startedAtMs: null, hasImpossibleTime: false }]);
  });

  it('breaks no formatting', () => {
    for (const format of [clockTime, fullTime, shortTime]) {
      expect(format(FOREVER_MS)).toBe('unknown time');
      expect(format(RECEIVED_MS)).not.toBe('unknown time');
    }
    expect(dayName(FOREVER_MS, RECEIVED_MS)).toBe('unknown time');
  });

  it('hides no newer health report: the chain orders them', () => {
    const world = new CameraWorld();
    const claim = world.claim();
    const camera = newCameraState(world.deviceId, 1);
    const report = (seq: number, wallMs: number, camera_: RecordHealth['camera']): void => {
      const time = world.time(1000 - seq, wallMs);
      const health = { ...HEALTH, camera: camera_ };
      const { value } = world.record(claim, seq, claim.hash, { kind: 'health', health, time });
      applyHealthReport(camera, value, RECEIVED_MS);
    };
    report(1, FOREVER_MS, 'ok');
    expect(camera.health).toMatchObject({ reportedAtMs: null, body: { camera: 'ok' } });
    report(2, RECEIVED_MS, 'stalled');
    expect(camera.health).toMatchObject({ reportedAtMs: RECEIVED_MS, body: { camera: 'stalled' } });
    report(1, FOREVER_MS, 'ok');
    expect(camera.health?.body.camera).toBe('stalled');
  });
});
