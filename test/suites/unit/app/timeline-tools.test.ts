import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { busiestHour, densityOf, HOURS, minuteOfDay, timeOfMinute } from '../../../../app/core/day-density.js';
import { LastVisit } from '../../../../app/core/last-visit.js';
import { NO_FILTER } from '../../../../app/core/page-address.js';
import { REVIEWED_MARKS_MAX, ReviewedMarks } from '../../../../app/core/reviewed-marks.js';
import { MemoryStorage } from '../../../../app/core/storage.js';
import type { SessionView } from '../../../../app/core/session-view.js';
import { isFiltering, isShownBy } from '../../../../app/core/timeline-filter.js';
import { loadBackTo, REACH_PAGES_MAX, reachEvent } from '../../../../app/core/timeline-reach.js';
import type { EventPicture, TimelineEvent } from '../../../../app/core/timeline.js';
import { UndoList } from '../../../../app/core/undo.js';
import { moveBy, WHOLE, zoomAt, ZOOM_MAX } from '../../../../app/core/zoom.js';
import { ZONES_SEEN_MAX, ZonesSeen } from '../../../../app/core/zones-seen.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

const never = new AbortController().signal;

function eventAt(startedAtMs: number, change: Partial<TimelineEvent> = {}): TimelineEvent {
  return { key: `d/1/${String(startedAtMs)}`, device: 'd', kind: 'motion', startedAtMs, ...change } as TimelineEvent;
}

describe('the density of a day', () => {
  it('counts each event in the hour on the wall', () => {
    const day = new Date(2026, 5, 1).getTime();
    const counts = densityOf([7, 7, 19].map((hour) => eventAt(timeOfMinute(day, hour * 60 + 59))));
    expect(counts).toHaveLength(HOURS);
    expect([counts[7], counts[19], counts[8]]).toEqual([2, 1, 0]);
    expect(busiestHour(counts)).toBe(7);
    expect(busiestHour(densityOf([]))).toBeNull();
    expect(minuteOfDay(timeOfMinute(day, 1234))).toBe(1234);
  });
});

describe('a filter', () => {
  const known = {
    isReviewed: (key: string) => key === 'd/1/1',
    zonesOf: (key: string) => (key === 'd/1/1' ? ['door'] : null),
  };

  it('shows what matches all of it, and by a zone only what is known to be in it', () => {
    const shows = (change: Partial<typeof NO_FILTER>, event: TimelineEvent): boolean =>
      isShownBy({ ...NO_FILTER, ...change }, event, known);
    expect(isFiltering(NO_FILTER)).toBe(false);
    expect(shows({}, eventAt(1))).toBe(true);
    expect(shows({ camera: 'other' }, eventAt(1))).toBe(false);
    expect(shows({ kind: 'snapshot' }, eventAt(1))).toBe(false);
    expect(shows({ kind: 'snapshot' }, eventAt(1, { kind: 'snapshot' }))).toBe(true);
    expect([shows({ zone: 'door' }, eventAt(1)), shows({ zone: 'door' }, eventAt(2))]).toEqual([true, false]);
    expect([shows({ isUnreviewed: true }, eventAt(1)), shows({ isUnreviewed: true }, eventAt(2))]).toEqual([
      false,
      true,
    ]);
  });
});

describe('the zones that pictures told', () => {
  it('adds those of later pictures, and forgets the oldest events', () => {
    const seen = new ZonesSeen();
    const picture = (id: number): EventPicture =>
      ({ device: new Uint8Array(1), epoch: 1, eventId: Uint8Array.of(id >> 16, id >> 8, id) }) as EventPicture;
    const note = (id: number, zones: readonly string[]): void => {
      seen.note(picture(id), { jpeg: null, detail: { zones: [...zones] } });
    };
    note(1, ['path']);
    note(1, ['door', 'path']);
    expect(seen.of('00/1/000001')).toEqual(['path', 'door']);
    expect(seen.of('00/1/000002')).toBeNull();
    expect(seen.names()).toEqual(['door', 'path']);
    for (let id = 2; id <= ZONES_SEEN_MAX + 1; id++) note(id, []);
    expect(seen.of('00/1/000001')).toBeNull();
    expect(seen.of('00/1/000002')).toEqual([]);
  });
});

describe('reviewed marks', () => {
  it('are kept, taken back and bounded', async () => {
    const storage = new MemoryStorage();
    const marks = new ReviewedMarks(storage);
    let changes = 0;
    marks.subscribe(() => changes++);
    await marks.markReviewed(['a', 'b'], true);
    await marks.markReviewed(['b'], false);
    expect([marks.isReviewed('a'), marks.isReviewed('b'), changes]).toEqual([true, false, 2]);
    const again = new ReviewedMarks(storage);
    await again.load();
    expect([again.isReviewed('a'), again.isReviewed('b')]).toEqual([true, false]);
    const many = Array.from({ length: REVIEWED_MARKS_MAX }, (_, i) => String(i));
    await again.markReviewed(many, true);
    expect([again.isReviewed('a'), again.isReviewed('0')]).toEqual([false, true]);
  });
});

describe('the last visit', () => {
  it('ends where the page was last seen, and a short absence is no end', async () => {
    const clock = new VirtualClock();
    const storage = new MemoryStorage();
    const visit = new LastVisit(storage, clock);
    await visit.load();
    expect(visit.sinceMs()).toBeNull();
    await visit.noteShown();
    const shownMs = clock.wallMs();
    visit.leave();
    clock.advance(60_000);
    visit.comeBack();
    expect(visit.sinceMs()).toBeNull();
    visit.leave();
    clock.advance(3_600_000);
    visit.comeBack();
    expect(visit.sinceMs()).toBe(shownMs);
    const next = new LastVisit(storage, clock);
    await next.load();
    expect(next.sinceMs()).toBe(shownMs);
  });

  it('is not believed where it lies in the future', async () => {
    const clock = new VirtualClock();
    const storage = new MemoryStorage();
    await storage.saveSetting('last-visit', String(clock.wallMs() + 1));
    const visit = new LastVisit(storage, clock);
    await visit.load();
    expect(visit.sinceMs()).toBeNull();
  });
});

describe('loading back', () => {
  /** A camera whose records come a page at a time, and an event in one of them. */
  function sessionOf(
    pages: number,
    at: number,
  ): { view: () => SessionView; loadOlder: () => Promise<void>; loaded: () => number } {
    let loaded = 0;
    const view = (): SessionView =>
      ({
        cameras: [{ device: 'd', epoch: 1, hasOlder: loaded < pages, loadedFromMs: 1000 - loaded }],
        events: loaded >= at ? [eventAt(0, { key: 'd/1/e' })] : [],
      }) as unknown as SessionView;
    return {
      view,
      loadOlder: () => {
        loaded++;
        return Promise.resolve();
      },
      loaded: () => loaded,
    };
  }
  const name = { device: 'd', epoch: 1, eventId: 'e' };

  it('goes as far as it must, and says how it ended', async () => {
    const near = sessionOf(10, 3);
    expect([await reachEvent(near, name, never), near.loaded()]).toEqual(['here', 3]);
    expect(await reachEvent(sessionOf(5, 99), name, never)).toBe('nothing-older');
    expect(await reachEvent(sessionOf(9, 0), { ...name, device: 'other' }, never)).toBe('nothing-older');
    const endless = sessionOf(Infinity, Infinity);
    expect([await reachEvent(endless, name, never), endless.loaded()]).toEqual(['stopped', REACH_PAGES_MAX]);
    const day = sessionOf(10, 99);
    expect([await loadBackTo(day, null, 996, never), day.loaded()]).toEqual(['here', 4]);
    const broken = { ...sessionOf(5, 9), loadOlder: () => Promise.reject(new Error('no connection')) };
    expect(await loadBackTo(broken, 'd', 0, never)).toBe('offline');
    expect(await loadBackTo(sessionOf(5, 9), 'd', 0, AbortSignal.abort())).toBe('stopped');
  });
});

describe('what can be taken back', () => {
  it('is the last thing, once', async () => {
    const undo = new UndoList();
    const done: string[] = [];
    const offer = (text: string): void => {
      undo.offer({ text, undo: () => Promise.resolve(void done.push(text)) });
    };
    offer('one');
    offer('two');
    expect(undo.current()?.text).toBe('two');
    await undo.undo();
    await undo.undo();
    expect([done, undo.current()]).toEqual([['two'], null]);
    offer('three');
    undo.dismiss();
    await undo.undo();
    expect(done).toEqual(['two']);
  });
});

describe('zoom', () => {
  const point = fc.double({ min: -0.5, max: 0.5, noNaN: true });
  const step = fc.tuple(fc.double({ min: 0.1, max: 4, noNaN: true }), point, point);

  it('never shows anything beside the picture, and ends where it is whole', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let zoom = WHOLE;
        for (const [factor, x, y] of steps) {
          zoom = moveBy(zoomAt(zoom, factor, [x, y]), x, y);
          expect(zoom.scale).toBeGreaterThanOrEqual(1);
          expect(zoom.scale).toBeLessThanOrEqual(ZOOM_MAX);
          for (const value of [zoom.x, zoom.y])
            expect(Math.abs(value)).toBeLessThanOrEqual((zoom.scale - 1) / 2 + 1e-9);
        }
        expect(zoomAt(zoom, 0.001, [0, 0])).toEqual(WHOLE);
      }),
    );
  });

  it('keeps what is under the finger', () => {
    const zoom = zoomAt(zoomAt(WHOLE, 3, [0, 0]), 1.5, [0.1, -0.2]);
    // The point of the picture under the finger, before and after.
    expect((0.1 - zoom.x) / zoom.scale).toBeCloseTo(0.1 / 3);
    expect((-0.2 - zoom.y) / zoom.scale).toBeCloseTo(-0.2 / 3);
  });
});
