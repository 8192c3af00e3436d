import { describe, expect, it } from 'vitest';
import { StretchFinder, type InspectedFrame, type Stretch } from '../../../../agent/cli/stretch.js';
import type { Reason } from '../../../../agent/capture/detect/observation.js';
import { EventTracker } from '../../../../agent/capture/event-tracker.js';
import type { Frame } from '../../../../hal/camera.js';

const BOX = { left: 0.4, top: 0.3, width: 0.2, height: 0.4 };
const PLANE = { width: 2, height: 2, data: new Uint8Array(4) };

function inspectedFrame(index: number, reason: Reason, area: number): InspectedFrame {
  const timeMs = index * 100;
  const motion = reason === 'motion';
  const frame: Frame = { jpeg: new Uint8Array(0), monotonicMs: timeMs, index };
  return {
    frame,
    observation: {
      motion,
      reason,
      area: motion ? area : 0,
      box: motion ? BOX : null,
      zones: [],
      subjects: [],
      scene: null,
      sinceFrame: index,
      sinceMs: timeMs,
    },
    inspection: {
      background: PLANE,
      mask: PLANE,
      patches: area === 0 ? [] : [{ box: BOX, nature: 'unknown', area }],
    },
  };
}

/** Plays runs of frames, each frame a tenth of a second: `[reason, area, number of frames]`. */
function play(runs: readonly (readonly [Reason, number, number])[]): Stretch[] {
  const tracker = new EventTracker<Frame>({ holdMs: 500, cooldownMs: 0, maxDurationMs: 3_600_000 });
  const finder = new StretchFinder();
  const found: Stretch[] = [];
  let index = 0;
  for (const [reason, area, count] of runs) {
    for (let i = 0; i < count; i++, index++) {
      // The area grows, then shrinks: it is largest in the middle.
      const one = inspectedFrame(index, reason, area * (1 - Math.abs(i - count / 2) / count));
      const transitions = tracker.advance(one.observation, { frame: one.frame, index, timeMs: index * 100 });
      found.push(...finder.addInspection(one, transitions));
    }
  }
  return [...found, ...finder.finish(tracker.finish(index, index * 100))];
}

describe('stretches of a video', () => {
  it('are its events, with the chosen pictures and what came before and after', () => {
    const [event, ...others] = play([
      ['still', 0, 30],
      ['motion', 0.1, 40],
      ['still', 0, 30],
    ]);
    expect(others).toEqual([]);
    expect(event).toMatchObject({ kind: 'event', reason: 'motion-ended', endMs: 6900 });
    expect(event?.first.frame.index).toBe(30);
    expect(event?.best.frame.index).toBe(50);
    expect(event?.last.frame.index).toBe(69);
    expect(event?.moments[0]?.timeMs).toBeLessThanOrEqual(1000);
    expect(event?.moments.at(-1)?.timeMs).toBeGreaterThan(6900);
  });

  it('are near misses, named by the reason of most frames', () => {
    const found = play([
      ['still', 0, 30],
      ['too-short', 0.01, 4],
      ['erratic', 0.02, 10],
      ['still', 0, 30],
      ['light', 0.3, 8],
    ]);
    expect(found.map(({ kind }) => kind)).toEqual(['erratic', 'light']);
    expect(found[0]?.best.frame.index).toBe(39);
  });

  it('are neither the frames that led up to an event nor single frames', () => {
    const found = play([
      ['too-short', 0.01, 8],
      ['motion', 0.1, 20],
      ['still', 0, 20],
      ['erratic', 0.1, 2],
      ['still', 0, 20],
    ]);
    expect(found.map(({ kind }) => kind)).toEqual(['event']);
    // The control: more frames than the lead before an event are a stretch of their own.
    const rain = play([
      ['erratic', 0.01, 80],
      ['motion', 0.1, 20],
    ]);
    expect(rain.map(({ kind }) => kind).sort()).toEqual(['erratic', 'event']);
  });

  it('are cut at a maximum length, and their timelines thinned out', () => {
    const found = play([['erratic', 0.01, 3000]]);
    expect(found.length).toBe(5);
    const [event] = play([['motion', 0.01, 9000]]);
    expect(event?.moments.length).toBeLessThanOrEqual(4000);
  });
});
