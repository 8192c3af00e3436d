import { describe, expect, it } from 'vitest';
import { currentOf, Hearing, presenceOf, silentCameras } from '../../../../app/core/presence.js';
import type { CameraView, SessionView } from '../../../../app/core/session-view.js';
import { orderedSnapshot } from '../../../../app/core/snapshot.js';
import type { TimelineEvent } from '../../../../app/core/timeline.js';
import { LIMITS } from '../../../../common/limits.js';

const NOW_MS = Date.UTC(2026, 10, 29);
const LONG_AGO_MS = NOW_MS - 3 * LIMITS.healthCadenceMs;

function camera(rest: Partial<CameraView> = {}): CameraView {
  const known = {
    device: 'd',
    epoch: 1,
    isListed: true,
    deletedAtMs: null,
    isOnline: true,
    isReportedSilent: false,
    lastWordMs: NOW_MS,
    health: null,
  };
  return { ...known, hasEnded: false, ...rest } as CameraView;
}

describe('the presence of a camera', () => {
  it('follows from its last word while the page is connected', () => {
    expect(presenceOf(camera(), 'live', NOW_MS)).toBe('online');
    expect(presenceOf(camera({ isOnline: false }), 'live', NOW_MS)).toBe('offline');
    expect(presenceOf(camera({ lastWordMs: LONG_AGO_MS }), 'live', NOW_MS)).toBe('silent');
    expect(presenceOf(camera({ hasEnded: true, lastWordMs: LONG_AGO_MS }), 'live', NOW_MS)).toBe('released');
    expect(presenceOf(camera({ isListed: false }), 'live', NOW_MS)).toBe('unlisted');
    expect(presenceOf(camera({ lastWordMs: null }), 'live', NOW_MS)).toBe('unheard');
    const health = { body: { privacy: true } } as CameraView['health'];
    expect(presenceOf(camera({ health }), 'live', NOW_MS)).toBe('private');
  });

  it('is not known while the page itself hears nothing, unless the camera was silent before', () => {
    const quiet = camera({ lastWordMs: LONG_AGO_MS });
    for (const connection of ['offline', 'paused', 'connecting'] as const) {
      expect(presenceOf(quiet, connection, LONG_AGO_MS + 1000)).toBe('unknown');
      expect(presenceOf(quiet, connection, null)).toBe('unknown');
      expect(presenceOf(quiet, connection, NOW_MS)).toBe('silent');
    }
  });
});

describe('what the page heard', () => {
  it('ends with the last that came while it was connected, and goes on with the next connection', () => {
    let set = (_connection: SessionView['connection']): void => undefined;
    const subscribe = (listener: (view: SessionView) => void): (() => void) => {
      set = (connection) => {
        listener({ connection } as SessionView);
      };
      return () => undefined;
    };
    const liveness: { heardAtMs: number | null } = { heardAtMs: null };
    const hearing = new Hearing({ subscribe }, liveness);
    expect(hearing.untilMs()).toBeNull();
    liveness.heardAtMs = 1000;
    expect(hearing.untilMs()).toBeNull();
    set('live');
    expect(hearing.untilMs()).toBe(1000);
    // The device sleeps for an hour. What it hears while it reconnects does not count before it is live again.
    set('offline');
    liveness.heardAtMs = 3_601_000;
    set('connecting');
    expect(hearing.untilMs()).toBe(1000);
    set('live');
    expect(hearing.untilMs()).toBe(3_601_000);
  });
});

describe('silent cameras', () => {
  it('are named for the list that is shown, under their newest ownership', () => {
    const dead = camera({ device: 'a', epoch: 2, lastWordMs: LONG_AGO_MS });
    const before = camera({ device: 'a', epoch: 1, lastWordMs: LONG_AGO_MS });
    const alive = camera({ device: 'b' });
    const released = camera({ device: 'c', hasEnded: true, lastWordMs: LONG_AGO_MS });
    const view = { cameras: [before, dead, alive, released], connection: 'live' } as const;
    expect(currentOf(view.cameras)).toEqual([dead, alive, released]);
    expect(silentCameras(view, null, NOW_MS)).toEqual([dead]);
    expect(silentCameras(view, 'a', NOW_MS)).toEqual([dead]);
    expect(silentCameras(view, 'b', NOW_MS)).toEqual([]);
  });
});

describe('the picture that was ordered', () => {
  it('is the last snapshot of the camera before its answer', () => {
    const event = (seq: number, rest: Partial<TimelineEvent> = {}): TimelineEvent =>
      ({
        kind: 'snapshot',
        device: 'd',
        epoch: 1,
        records: [{ record: { value: { seq } } }],
        ...rest,
      }) as TimelineEvent;
    const events = [
      event(12),
      event(9, { device: 'e' }),
      event(8, { epoch: 2 }),
      event(7, { kind: 'motion' }),
      event(6),
      event(3),
    ];
    expect(orderedSnapshot({ events }, camera(), 10)).toBe(events[4]);
    expect(orderedSnapshot({ events }, camera(), 3)).toBeNull();
  });
});
