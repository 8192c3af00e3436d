import { describe, expect, it } from 'vitest';
import { mergedList } from '../../../../app/core/merged-list.js';
import type { CameraView } from '../../../../app/core/session-view.js';
import type { TimelineEvent } from '../../../../app/core/timeline.js';

function camera(device: string, loadedFromMs: number | null, hasOlder: boolean): CameraView {
  return { device, loadedFromMs, hasOlder } as CameraView;
}

function event(device: string, startedAtMs: number | null, receivedAtMs = 0): TimelineEvent {
  return { device, startedAtMs, receivedAtMs } as TimelineEvent;
}

/** A busy camera of which one page reaches back to 50, and a quiet one of which everything is here. */
const busy = [event('b', 90), event('b', 60), event('b', 50)];
const quiet = [event('q', 80), event('q', 20), event('q', null, 10)];
const events = [...busy, ...quiet];

describe('mergedList', () => {
  it('ends where the first of the cameras ends', () => {
    const list = mergedList({ cameras: [camera('b', 50, true), camera('q', 5, false)], events, marks: [] }, null);
    expect(list.events).toEqual([...busy, event('q', 80)]);
    expect(list.hasOlder).toBe(true);
  });

  it('ends with the shallowest of several that have more', () => {
    const cameras = [camera('b', 50, true), camera('q', 15, true), camera('c', 85, true)];
    expect(mergedList({ cameras, events, marks: [] }, null).events).toEqual([event('b', 90)]);
  });

  it('shows all of one camera, however far the others reach', () => {
    const cameras = [camera('b', 50, true), camera('q', 5, false)];
    expect(mergedList({ cameras, events, marks: [] }, 'q')).toEqual({ events: quiet, marks: [], hasOlder: false });
    expect(mergedList({ cameras, events, marks: [] }, 'b')).toEqual({ events: busy, marks: [], hasOlder: true });
  });

  it('is whole when no camera has more', () => {
    const cameras = [camera('b', 50, false), camera('q', 5, false)];
    expect(mergedList({ cameras, events, marks: [] }, null)).toEqual({ events, marks: [], hasOlder: false });
  });
});
