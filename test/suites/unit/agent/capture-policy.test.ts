import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Counters } from '../../../../common/counters.js';
import { loadAgentConfig } from '../../../../agent/config/keys.js';
import { schedule as scheduleOf } from '../../../../agent/config/values.js';
import { Capture, type CaptureSettings } from '../../../../agent/capture/capture.js';
import { Detector } from '../../../../agent/capture/detect/detector.js';
import type { Observation } from '../../../../agent/capture/detect/observation.js';
import { EventTracker } from '../../../../agent/capture/event-tracker.js';
import { Schedule } from '../../../../agent/capture/schedule.js';
import type { MotionZone } from '../../../../agent/capture/detect/zones.js';
import { silentLog } from '../../../../common/log.js';
import * as v from '../../../../common/schema.js';
import type { CameraInfo } from '../../../../hal/camera.js';
import { NO_EVENTS } from '../../../../scripts/demo/quiet.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { rectangle, texturedPlane, type Paint } from '../../../support/planes.js';

const FRAME_MS = 100;
const detector = { sensitivity: 50, minDurationMs: 300, zones: [] };
const events = { holdMs: 1000, cooldownMs: 60_000, maxDurationMs: 120_000 };

/** A figure of this size that walks to the right for 40 frames, from frame `from` on. */
const walks =
  (from: number, [width, height]: readonly [number, number], top: number, level = 30) =>
  (index: number, paint: Paint): void => {
    if (index >= from && index < from + 40) paint([10 + (index - from) * 3, top, width, height], level);
  };

/** A figure that walks to and fro from frame `from` on. */
const paces =
  (from: number, top: number, level = 30) =>
  (index: number, paint: Paint): void => {
    if (index >= from) paint([20 + (index % 80 < 40 ? index % 40 : 40 - (index % 40)), top, 8, 22], level);
  };

function observeFrames(
  frames: number,
  zones: readonly MotionZone[],
  ...walkers: readonly ReturnType<typeof walks>[]
): Observation[] {
  const watcher = new Detector({ ...detector, zones });
  return Array.from({ length: frames }, (_, i) => {
    const plane = texturedPlane(i, (paint) => {
      for (const walker of walkers) walker(i, paint);
    });
    return watcher.observe(plane, i * FRAME_MS, i);
  });
}

describe('zones with a least size', () => {
  const cat = walks(30, [10, 5], 60);
  const person = walks(30, [9, 24], 45);
  const all = rectangle(0, 0, 1, 1);
  const raised = (seen: readonly Observation[]): number => seen.filter(({ motion }) => motion).length;

  it('count a person and not a cat; the observation names zone and size', () => {
    const street = { name: 'street', corners: all, minArea: 0.7 };
    const seen = observeFrames(80, [street], cat);
    expect(raised(seen)).toBe(0);
    const [why] = seen.filter(({ reason }) => reason === 'small-for-zone');
    expect(why?.zones).toEqual(['street']);
    expect(why?.area).toBeGreaterThan(0);
    expect((why?.area ?? 1) * 100).toBeLessThan(0.7);
    expect(why?.box).not.toBeNull();
    expect(raised(observeFrames(80, [street], person))).toBeGreaterThan(20);
    // The control: without a least size the cat counts.
    expect(raised(observeFrames(80, [{ name: 'street', corners: all }], cat))).toBeGreaterThan(20);
  });

  it('apply it in their own part of the picture only', () => {
    const street = { name: 'street', corners: rectangle(0, 0, 0.5, 1), minArea: 0.7 };
    const door = { name: 'door', corners: rectangle(0.5, 0, 1, 1) };
    const seen = observeFrames(80, [street, door], cat);
    const moving = seen.filter(({ motion }) => motion);
    expect(moving.length).toBeGreaterThan(5);
    for (const { zones } of moving) expect(zones).not.toContain('street');
    for (const { box } of moving) expect((box?.left ?? 0) + (box?.width ?? 0)).toBeGreaterThan(0.5);
    expect(new Set(seen.flatMap(({ zones }) => zones))).toEqual(new Set(['street', 'door']));
  });

  it('let the demo film without an event until its clips have a pre-roll', () => {
    const file = join(tempFolder(), 'camera.toml');
    writeFileSync(file, NO_EVENTS);
    const { 'motion.zones': nowhere } = loadAgentConfig({ file, environment: {} });
    expect(nowhere).toHaveLength(1);
    const corner = walks(30, [9, 24], 0);
    for (const walker of [person, corner]) expect(raised(observeFrames(80, nowhere, walker))).toBe(0);
    // The control: the settings that follow.
    for (const walker of [person, corner]) expect(raised(observeFrames(80, [], walker))).toBeGreaterThan(20);
  });

  it('keep a person who came near and walks away again', () => {
    const leaves = (index: number, paint: Paint): void => {
      if (index < 30 || index >= 75) return;
      const height = index < 55 ? 26 : Math.max(10, 26 - (index - 55));
      paint([10 + (index - 30) * 3, 70 - height, Math.round(height / 2.6), height], 30);
    };
    const seen = observeFrames(85, [{ name: 'door', corners: all, minArea: 0.7 }], leaves);
    const last = seen.findLastIndex(({ motion }) => motion);
    expect(last).toBeGreaterThan(68);
    expect((seen[last]?.area ?? 1) * 100).toBeLessThan(0.7);
  });
});

describe('the cooldown', () => {
  function startsOf(seen: readonly Observation[], settings = events): number[] {
    const tracker = new EventTracker<null>(settings);
    return seen.flatMap((observation, i) =>
      tracker
        .advance(observation, { frame: null, index: i, timeMs: i * FRAME_MS })
        .flatMap(({ type }) => (type === 'start' ? [i] : [])),
    );
  }

  it('does not hide a new person who comes after the first has left', () => {
    const seen = observeFrames(200, [], walks(30, [8, 22], 40), walks(120, [8, 22], 40, 190));
    const starts = startsOf(seen);
    expect(starts).toHaveLength(2);
    expect(starts[1]).toBeLessThan(130);
  });

  it('hides the people of the last event, also one who joined later', () => {
    const seen = observeFrames(200, [], paces(30, 10), paces(50, 60, 190));
    // The maximum duration passes while both walk to and fro.
    const settings = { ...events, maxDurationMs: 5000 };
    expect(startsOf(seen, settings)).toHaveLength(1);
    // The control: without a cooldown the same person raises one event after the other.
    expect(startsOf(seen, { ...settings, cooldownMs: 0 }).length).toBeGreaterThan(1);
  });

  it('raises an event for a second person, after the event of the first reached its maximum duration', () => {
    const seen = observeFrames(200, [], paces(30, 10), walks(130, [8, 22], 60, 190));
    const starts = startsOf(seen, { ...events, maxDurationMs: 5000 });
    expect(starts).toHaveLength(2);
    expect(starts[1]).toBeGreaterThanOrEqual(130);
    expect(starts[1]).toBeLessThan(142);
  });
});

describe('a schedule over the camera', () => {
  const NIGHT = Date.UTC(2026, 10, 22, 23);
  const NOON = Date.UTC(2026, 10, 22, 12);
  const info: CameraInfo = {
    driver: 'mock',
    timeBase: 'live',
    model: 'test',
    width: 160,
    height: 90,
    framesPerSecond: 10,
  };

  async function run(wallMs: number | null) {
    const schedule = new Schedule(v.parse(scheduleOf, ['22:00-06:00']), 'UTC');
    const settings: CaptureSettings = { lumaWidth: 160, idleFramesPerSecond: 30, detector, events, schedule };
    const counters = new Counters();
    const types: string[] = [];
    const warnings: string[] = [];
    const capture = new Capture(info, settings, {
      counters,
      onScene: () => undefined,
      wallMsOf: () => wallMs,
      log: { ...silentLog, warn: (_, text) => void warnings.push(text) },
      onTransition: ({ type }) => types.push(type),
    });
    const reasons = new Set<string>();
    const walker = walks(30, [8, 22], 40);
    for (let i = 0; i < 90; i++) {
      const luma = texturedPlane(i, (paint) => {
        walker(i, paint);
      });
      await capture.inspectFrame({ jpeg: new Uint8Array(0), luma, monotonicMs: i * FRAME_MS, index: i }, i * FRAME_MS);
      reasons.add(capture.lastInspection?.observation.reason ?? '');
    }
    return {
      types: types.filter((type) => type !== 'update'),
      reasons,
      warnings,
      counted: counters.get('motion.off-schedule'),
    };
  }

  it('raises events inside its windows; outside it counts, with the reason off-schedule', async () => {
    const inside = await run(NIGHT);
    expect(inside).toMatchObject({ types: ['start', 'end'], counted: 0, warnings: [] });
    const outside = await run(NOON);
    expect(outside.types).toEqual([]);
    expect(outside.reasons).toContain('off-schedule');
    expect(outside.reasons).toContain('still');
    expect(outside.counted).toBeGreaterThan(20);
  });

  it('raises events while the clock is not set, with one warning', async () => {
    const unset = await run(null);
    expect(unset).toMatchObject({ types: ['start', 'end'], counted: 0 });
    expect(unset.warnings).toHaveLength(1);
  });
});
