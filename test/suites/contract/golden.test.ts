import { describe, expect, it } from 'vitest';
import { Detector } from '../../../agent/capture/detect/detector.js';
import { EventTracker, type Transition } from '../../../agent/capture/event-tracker.js';
import { captureSettings } from '../../../agent/main/settings.js';
import { loadAgentConfig } from '../../../agent/config/keys.js';
import { GOLDEN_NAMES, type GoldenName } from '../../../hal/mock-scenarios.js';
import { GOLDEN } from '../../../hal/mock/golden.js';
import { SceneRenderer } from '../../../hal/mock/renderer.js';
import { buildScript } from '../../../hal/mock/scenarios.js';

const settings = captureSettings(loadAgentConfig({ file: null, environment: {} }));

/** Time that a person needs to come in from the edge, and to leave. */
const EDGE_MS = 1500;
const EARLY_MS = 200;

interface Played {
  readonly events: readonly (readonly [number, number])[];
  readonly scenes: readonly string[];
  /** Count of each reason, for the message of a failure. */
  readonly reasons: string;
}

/** Plays a scenario through detector and events; `switchesMs` are times at which the hardware reports a switch of its filter. */
async function play(name: GoldenName, seed: number, switchesMs: readonly number[] = []): Promise<Played> {
  const { scene, durationMs, framesPerSecond } = GOLDEN[name];
  const renderer = new SceneRenderer(buildScript(scene, name, seed), 4);
  const detector = new Detector(settings.detector);
  const tracker = new EventTracker<null>(settings.events);
  const events: [number, number][] = [];
  const scenes: string[] = [];
  const reasons = new Map<string, number>();
  const collectEnds = (transitions: readonly Transition<null>[]): void => {
    for (const one of transitions) if (one.type === 'end') events.push([one.span.startMs, one.endMs]);
  };
  const frames = (durationMs / 1000) * framesPerSecond;
  for (let index = 0; index < frames; index++) {
    const timeMs = Math.round((index * 1000) / framesPerSecond);
    if (switchesMs.includes(timeMs)) detector.expectSwitch(timeMs);
    const seen = detector.observe(await renderer.luma(timeMs), timeMs, index);
    if (seen.scene !== null) scenes.push(seen.scene.class);
    reasons.set(seen.reason, (reasons.get(seen.reason) ?? 0) + 1);
    collectEnds(tracker.advance(seen, { frame: null, index, timeMs }));
  }
  collectEnds(tracker.finish(frames, durationMs));
  return { events, scenes, reasons: JSON.stringify([...reasons]) };
}

describe('golden scenarios', () => {
  it.each(GOLDEN_NAMES)('%s: one event for each visit, and no other', async (name) => {
    const { events: wanted, scenes, withinMs } = GOLDEN[name];
    for (const seed of [1, 2]) {
      const played = await play(name, seed);
      const about = `${name}, seed ${String(seed)}: ${JSON.stringify(played.events)} ${played.reasons}`;
      expect(played.events.length, about).toBe(wanted.length);
      expect(played.scenes, about).toEqual(scenes);
      for (const [i, [fromMs, toMs]] of wanted.entries()) {
        const [startMs, endMs] = played.events[i] ?? [NaN, NaN];
        expect(startMs, about).toBeGreaterThanOrEqual(fromMs - EARLY_MS);
        expect(startMs, about).toBeLessThanOrEqual(fromMs + withinMs);
        expect(endMs, about).toBeGreaterThanOrEqual(toMs - EDGE_MS);
        expect(endMs, about).toBeLessThanOrEqual(toMs + EDGE_MS);
      }
    }
  });

  it('ir-flip: a switch that the hardware reports is not illumination, and a person in between is detected', async () => {
    const switches = GOLDEN['ir-flip'].happenings.flatMap((one) =>
      one.kind === 'night' ? [one.fromMs, one.toMs] : [],
    );
    for (const earlyMs of [0, 1500]) {
      const reportedMs = switches.map((atMs) => atMs - earlyMs);
      const { events, scenes } = await play('ir-flip', 1, reportedMs);
      expect(events).toHaveLength(1);
      // In the first second after the report, any picture is learnt.
      expect(scenes).toEqual(earlyMs === 0 ? [] : ['ir-cut', 'ir-cut']);
    }
  });

  it('uncovered: reports how long the lens was covered, and its start meanwhile', async () => {
    const renderer = new SceneRenderer(buildScript('porch', 'uncovered', 1), 4);
    const detector = new Detector(settings.detector);
    const ends: (number | undefined)[] = [];
    for (let index = 0; index < 200; index++) {
      const { scene } = detector.observe(await renderer.luma(index * 100), index * 100, index);
      if (scene !== null) ends.push(scene.durationMs);
      expect(detector.tamperedSinceMs !== null, String(index)).toBe(index >= 90 && index < 160);
    }
    expect(ends).toEqual([undefined, 7000]);
  });
});
