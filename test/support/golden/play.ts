import { decodeLuma } from '../../../agent/capture/jpeg.js';
import { LumaDecoder } from '../../../agent/capture/luma-decoder.js';
import { Detector } from '../../../agent/capture/detect/detector.js';
import { EventTracker, type Transition } from '../../../agent/capture/event-tracker.js';
import { loadAgentConfig } from '../../../agent/config/keys.js';
import { captureSettings } from '../../../agent/main/settings.js';
import type { GoldenName } from '../../../hal/mock-scenarios.js';
import type { LumaPlane } from '../../../hal/camera.js';
import { GOLDEN } from '../../../hal/mock/golden.js';
import { SceneRenderer } from '../../../hal/mock/renderer.js';
import { buildScript } from '../../../hal/mock/scenarios.js';

const settings = captureSettings(loadAgentConfig({ file: null, environment: {} }));

/** How a scenario is played; what is missing is as the scenario has it. */
export interface Play {
  readonly seed: number;
  readonly framesPerSecond?: number;
  readonly isNight?: boolean;
  /** Quality of JPEGs at full size, which the agent decodes. Without it the small plane is drawn alone, which is far cheaper. */
  readonly quality?: number;
  /** Times at which the hardware reports a switch of its filter. */
  readonly switchesMs?: readonly number[];
}

export interface Played {
  readonly events: readonly (readonly [startMs: number, endMs: number])[];
  readonly scenes: readonly string[];
  /** Count of each reason, for the message of a failure. */
  readonly reasons: string;
}

/** Plays a scenario through detector and events. */
export async function playGolden(name: GoldenName, how: Play): Promise<Played> {
  const { scene, durationMs, quality: ownQuality } = GOLDEN[name];
  const framesPerSecond = how.framesPerSecond ?? GOLDEN[name].framesPerSecond;
  const planeAt = planesOf(name, how, scene, how.quality ?? ownQuality);
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
    if (how.switchesMs?.includes(timeMs) === true) detector.expectSwitch(timeMs);
    const seen = detector.observe(await planeAt(timeMs), timeMs, index);
    if (seen.scene !== null) scenes.push(seen.scene.class);
    reasons.set(seen.reason, (reasons.get(seen.reason) ?? 0) + 1);
    collectEnds(tracker.advance(seen, { frame: null, index, timeMs }));
  }
  collectEnds(tracker.finish(frames, durationMs));
  return { events, scenes, reasons: JSON.stringify([...reasons]) };
}

function planesOf(
  name: GoldenName,
  { seed, isNight }: Play,
  scene: (typeof GOLDEN)[GoldenName]['scene'],
  quality: number | undefined,
): (timeMs: number) => Promise<LumaPlane> {
  const variant = { ...(isNight === undefined ? {} : { isNight }), ...(quality === undefined ? {} : { quality }) };
  const script = buildScript(scene, name, seed, variant);
  if (quality === undefined) {
    const renderer = new SceneRenderer(script, 4);
    return (timeMs) => renderer.luma(timeMs);
  }
  const renderer = new SceneRenderer(script);
  const decoder = new LumaDecoder();
  return async (timeMs) => decodeLuma((await renderer.render(timeMs)).jpeg, settings.lumaWidth, decoder);
}

/** How early an event may be, and by how much its end may differ: a person needs a second to come in or to leave. */
const EARLY_MS = 200;
const EDGE_MS = 1500;
/** Sightings that make an event: at a low frame rate they take their time. */
const SIGHTINGS = 3;
/** The least rate at which those sightings are no delay. */
const USUAL_FRAMES_PER_SECOND = 10;

/** Returns what is wrong with the events and scene records of a play; nothing if they are what a person would say. */
export function faultsOf(name: GoldenName, { framesPerSecond }: Play, { events, scenes }: Played): string[] {
  const golden = GOLDEN[name];
  const faults: string[] = [];
  const { events: wanted, withinMs, settlesMs = EDGE_MS, coverage = 0 } = golden;
  if (events.length !== wanted.length) {
    faults.push(`${String(events.length)} events, not ${String(wanted.length)}`);
  }
  const slowMs =
    framesPerSecond === undefined || framesPerSecond >= USUAL_FRAMES_PER_SECOND
      ? 0
      : SIGHTINGS * (1000 / framesPerSecond - 1000 / USUAL_FRAMES_PER_SECOND);
  for (const [i, [fromMs, toMs]] of wanted.entries()) {
    const [startMs, endMs] = events[i] ?? [NaN, NaN];
    const which = `event ${String(i + 1)}`;
    if (!(startMs >= fromMs - EARLY_MS)) faults.push(`${which} starts early, or is missing`);
    if (!(startMs <= fromMs + withinMs + slowMs)) faults.push(`${which} starts late`);
    if (!(endMs >= toMs - EDGE_MS)) faults.push(`${which} ends early`);
    if (!(endMs <= toMs + settlesMs + slowMs)) faults.push(`${which} ends late`);
  }
  for (const [fromMs, toMs] of wanted) {
    const share = openShare(events, fromMs, toMs);
    if (share < coverage) faults.push(`open for ${(100 * share).toFixed(0)} % of ${String(fromMs)}–${String(toMs)} ms`);
  }
  const reported = golden.mayChangeLight === true ? scenes.filter((one) => one !== 'illumination') : scenes;
  if (reported.join() !== golden.scenes.join()) faults.push(`scene records: ${scenes.join()}`);
  return faults;
}

/** Returns for which share of an interval an event is open. */
export function openShare(events: Played['events'], fromMs: number, toMs: number): number {
  const openMs = events.reduce(
    (sum, [startMs, endMs]) => sum + Math.max(0, Math.min(toMs, endMs) - Math.max(fromMs, startMs)),
    0,
  );
  return openMs / (toMs - fromMs);
}
