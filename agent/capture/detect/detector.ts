import type { LumaPlane } from '../../../hal/camera.js';
import { inspectionOf, type Inspection } from './inspection.js';
import type { Blob } from './kernel/blobs.js';
import { bestKernels } from './kernel/choose.js';
import { evidenceOf, overviewOf } from './kernel/evidence.js';
import type { Kernels } from './kernel/kernels.js';
import { EIGHTHS_PER_LEVEL, LEARNING_MODE, type Planes } from './kernel/layout.js';
import { groundsOf, lightOf, type LocalLight } from './kernel/light.js';
import { shadesOf } from './kernel/shade.js';
import type { PrivacyMask } from './masks.js';
import { isAtEdge, isBesideLight, natureOf, reasonWithoutObject, stillMaxMs } from './nature.js';
import { brightnessOf, setFloors } from './noise.js';
import { boxOf, type Observation, type Reason } from './observation.js';
import type { SceneChange } from './scene-watch.js';
import { loadPlane, startState, type DetectorState } from './state.js';
import { measureSway } from './sway.js';
import type { Track } from './track.js';
import { startAgain } from './tracker.js';
import { TUNING, type Tuning } from './tuning.js';
import type { MotionZone } from './zones.js';

export interface DetectorSettings {
  /** 0 detects only the coarsest motion, 100 the faintest. */
  readonly sensitivity: number;
  readonly zones: readonly MotionZone[];
  /** Where nothing is detected. */
  readonly masks?: readonly PrivacyMask[];
  /** Shorter motion does not count. */
  readonly minDurationMs: number;
}

/** Until both have passed, frames only teach the background, and this many times faster. */
const WARM_UP_MS = 1200;
const WARM_UP_FRAMES = 4;
const WARM_UP_LEARN_FACTOR = 8;
/** The background counts as young for this long after the first frame. */
const YOUNG_BACKGROUND_MS = 4000;
const BLOBS_MAX = 12;
const AREA_MIN_PIXELS = 6;
/** Largest speed of a patch, in widths of the plane per second. */
const SPEED_MAX_PER_S = 1.2;
/** Longer gaps between frames count as this: they prove nothing about speed, and learning does not catch up on them. */
const STEP_MAX_MS = 1000;
/** In brighter pictures nobody is too faint for single frames. */
const FAINT_BRIGHTNESS_MAX = 0.5;
/** The background learns no more often; more would only cost time. */
const LEARN_EVERY_MS = 80;
/** The floors follow the noise no more often. */
const FLOORS_EVERY_MS = 2000;
/** Time constants of the mean number of patches that are not objects: snow begins within a second, and lulls prove nothing. */
const CLUTTER_RISE_MS = 500;
const CLUTTER_FALL_MS = 2000;
/** One, in fixed point of 15 and of 13 fraction bits. */
const Q15_ONE = 32_768;
const Q13_ONE = 8192;

/** What moves: a track, or somebody who is too faint for one. */
type Subject = Pick<Track, 'id' | 'blob' | 'firstMs' | 'firstFrame'>;

/** How a plane compares with the background; the planes `difference`, `mask` and `active` have the pixels. */
interface Comparison {
  readonly light: LocalLight;
  /** Share of the picture that differs from the background in this light. */
  readonly markedShare: number;
}

/**
 * Finds what moves on a small luma plane: it keeps a background, marks the pixels that differ from it, joins them to
 * patches and tracks, and decides what each track is. It has no clock and no I/O: the same frames, times and settings give
 * the same observations. README.md in this folder describes the steps.
 */
export class Detector {
  private readonly settings: DetectorSettings;
  private readonly tuning: Tuning;
  private readonly kernels: Kernels;
  private readonly strictness: number;
  /** Null before the first plane. */
  private state: DetectorState | null = null;

  constructor(settings: DetectorSettings, kernels: Kernels = bestKernels(), tuning: Tuning = TUNING) {
    this.settings = settings;
    this.kernels = kernels;
    this.tuning = tuning;
    // Twice as strict at a sensitivity of 0, half as strict at 100.
    this.strictness = 2 ** (1 - Math.min(100, Math.max(0, settings.sensitivity)) / 50);
  }

  /** Which kernels run here: `simd`, or `plain` where the processor lacks the instructions. */
  get kernelsName(): Kernels['name'] {
    return this.kernels.name;
  }

  /** Returns the planes and patches of the last frame, for the sheets of `sealcam replay --explain`; null before the first. */
  inspect(): Inspection | null {
    const { state } = this;
    return state === null ? null : inspectionOf(state.planes, state.tracker.seenAt(state.lastMs));
  }

  /** Since when the camera does not see what it should: covered, blurred or turned. Null while it does. */
  get tamperedSinceMs(): number | null {
    return this.state?.tamperWatch.sinceMs ?? null;
  }

  /** The infrared-cut filter switches now, as the hardware reports: the change that follows is not motion. */
  expectSwitch(timeMs: number): void {
    this.state?.sceneWatch.expectSwitch(timeMs);
    this.state?.tracker.clear();
  }

  /** Reports whether something in this plane differs from the background. It writes scratch planes only. */
  differs(plane: LumaPlane): boolean {
    const { state } = this;
    if (state === null || !isSizeOf(state, plane)) return true;
    this.compare(state, plane);
    return this.kernels.denoise() >= AREA_MIN_PIXELS;
  }

  /** Adds a frame; `timeMs` must not run backwards. Returns what moves in it, or why nothing counts as motion. */
  observe(plane: LumaPlane, timeMs: number, index: number): Observation {
    const { state } = this;
    if (state === null || !isSizeOf(state, plane)) return this.startBackground(plane, timeMs, index);
    const elapsedMs = Math.min(STEP_MAX_MS, Math.max(1, timeMs - state.lastMs));
    state.index = index;
    state.lastMs = timeMs;
    state.frames++;
    const { planes } = state;
    const { light, markedShare } = this.compare(state, plane);
    state.light = light;
    planes.lastShades.set(planes.shades);
    this.kernels.remember();
    const isWarmingUp = timeMs - state.firstMs < WARM_UP_MS || state.frames < WARM_UP_FRAMES;
    const observation = isWarmingUp
      ? noMotion('starting', state)
      : this.classifyFrame(state, markedShare, timeMs, elapsedMs);
    if (isWarmingUp) planes.learning.fill(LEARNING_MODE.background);
    if (markedShare > 0) state.differedMs = timeMs;
    this.updateBackground(state, timeMs, isWarmingUp ? WARM_UP_LEARN_FACTOR : 1);
    const faint = isWarmingUp ? [] : faintSubjects(state, timeMs, observation);
    if (observation.motion || faint.length === 0) return observation;
    return { ...this.motionInZones(state, faint, timeMs), scene: observation.scene };
  }

  private startBackground(plane: LumaPlane, timeMs: number, index: number): Observation {
    const before = this.state;
    const { kernels } = this;
    const { zones, masks = [] } = this.settings;
    this.state = startState(plane, { kernels, zones, masks, timeMs, index, before });
    this.followNoise(this.state, timeMs);
    return noMotion(before === null ? 'starting' : 'resized', this.state);
  }

  /** Marks the pixels that differ from the background in this light. */
  private compare({ planes, masked, width, height }: DetectorState, plane: LumaPlane): Comparison {
    const { kernels, tuning, strictness } = this;
    const { layout, sums } = planes;
    loadPlane(plane, planes, masked, kernels);
    kernels.smooth();
    kernels.sumTiles();
    const grounds = groundsOf(sums, layout);
    const light = lightOf(grounds);
    kernels.subtract(Math.round(light.gain * Q13_ONE), Math.round(light.offset * EIGHTHS_PER_LEVEL));
    const relit = shadesOf(planes, grounds, light);
    // Deviations are in 1/128 and thresholds in eighths.
    const deviations = Math.min(Q15_ONE - 1, Math.round((Q15_ONE / 16) * tuning.deviations * strictness));
    const marked = kernels.classify(deviations);
    return { light: { ...light, relit }, markedShare: marked / (width * height) };
  }

  private classifyFrame(state: DetectorState, markedShare: number, timeMs: number, elapsedMs: number): Observation {
    const { planes, sceneWatch, sweepWatch, tracker, index, width, height } = state;
    const scene = sceneOf(state, markedShare, timeMs);
    if (sceneWatch.isSettling(timeMs)) {
      planes.learning.fill(LEARNING_MODE.copy);
      return { ...noMotion('light', state), scene };
    }
    planes.learning.set(planes.mask);
    if (markedShare === 0) {
      tracker.update([], timeMs, index, 0);
      return { ...noMotion('still', state), scene };
    }
    const tracks = this.updateTracks(state, timeMs, elapsedMs);
    const observation = this.decideMotion(state, tracks, timeMs);
    // A person who walks throws a shadow; that is not a change of light to report.
    const isSweep = !observation.motion && sweepWatch.inspectTracks(timeMs, tracks, width * height);
    return { ...observation, scene: scene ?? (isSweep ? { class: 'illumination' } : null) };
  }

  private decideMotion(state: DetectorState, tracks: readonly Track[], timeMs: number): Observation {
    const objects = tracks.filter((track) => track.nature === 'object' && !this.isStillTooLong(track, timeMs));
    if (objects.length === 0) return noMotion(reasonWithoutObject(tracks), state);
    return this.motionInZones(state, objects, timeMs);
  }

  /** Finds patches, decides the nature of their tracks, and marks how the background learns under each. */
  private updateTracks(state: DetectorState, timeMs: number, elapsedMs: number): readonly Track[] {
    const { kernels, tuning, settings, strictness } = this;
    const { planes, tracker, lifeWatch, blobFinder, width, height, light, index } = state;
    kernels.denoise();
    const pixels = width * height;
    const minArea = Math.max(AREA_MIN_PIXELS, tuning.minArea * strictness * pixels);
    const blobs = blobFinder.find(minArea, BLOBS_MAX).map((blob) => ({
      blob,
      evidence: evidenceOf(blob, planes, light.gain),
    }));
    const reach = 2 + (SPEED_MAX_PER_S * width * elapsedMs) / 1000;
    const tracks = tracker.update(blobs, timeMs, index, reach);
    lifeWatch.inspectTracks(
      timeMs,
      planes,
      tracks.filter(({ nature }) => nature === 'object'),
    );
    const around = {
      timeMs,
      minDurationMs: settings.minDurationMs,
      width,
      pixels,
      strictness,
      // Itself it is no clutter.
      clutter: Math.max(0, state.clutter - 1),
      isDark: brightnessOf(light.level) < FAINT_BRIGHTNESS_MAX,
      isBackgroundYoung: timeMs - state.firstMs < YOUNG_BACKGROUND_MS,
    };
    for (const track of tracks) {
      measureSway(track, timeMs, planes, light.gain);
      if (isAtEdge(track, around)) track.entered = true;
      if (track.nature !== 'object' && isBesideLight(track, tracks)) startAgain(track);
      track.nature = natureOf(track, around, tuning);
      if (track.nature !== 'object') track.moved = false;
      else if (track.travel > tuning.movedTravel * width) track.moved = true;
      markLearning(planes, track.blob, this.learningModeOf(track, timeMs));
    }
    const clutter = tracks.filter(({ nature }) => nature !== 'object').length;
    const clutterMs = clutter > state.clutter ? CLUTTER_RISE_MS : CLUTTER_FALL_MS;
    state.clutter += (clutter - state.clutter) * Math.min(1, elapsedMs / clutterMs);
    return tracks;
  }

  private isStillTooLong(track: Track, timeMs: number): boolean {
    return timeMs - track.activeMs > stillMaxMs(track, this.tuning);
  }

  /** A thing that left or was put down goes into the background immediately; a person who stands still does not. */
  private learningModeOf(track: Track, timeMs: number): number {
    switch (track.nature) {
      case 'object':
        return this.isStillTooLong(track, timeMs) ? LEARNING_MODE.copy : LEARNING_MODE.object;
      case 'hole':
        return LEARNING_MODE.copy;
      case 'light':
        return track.activeMs < timeMs ? LEARNING_MODE.copy : LEARNING_MODE.unknown;
      case 'unknown':
      case 'erratic':
        return LEARNING_MODE.unknown;
    }
  }

  private updateBackground(state: DetectorState, timeMs: number, learnFactor: number): void {
    const sinceMs = timeMs - state.learntMs;
    if (sinceMs < LEARN_EVERY_MS && learnFactor === 1) return;
    const { followMs, unknownMs, spreadMs, flickerMs } = this.tuning;
    const rate = (constantMs: number, factor = learnFactor): number =>
      Math.max(0, Math.min(Q15_ONE - 1, Math.round((Q15_ONE * Math.min(STEP_MAX_MS, sinceMs) * factor) / constantMs)));
    this.kernels.learn(
      rate(followMs),
      rate(unknownMs),
      rate(spreadMs, Math.max(learnFactor, spreadFactorOf(state, timeMs))),
      rate(flickerMs),
    );
    this.kernels.findRanges();
    state.learntMs = timeMs;
    this.followNoise(state, timeMs);
  }

  private followNoise(state: DetectorState, timeMs: number): void {
    if (timeMs - state.floorsMs < FLOORS_EVERY_MS) return;
    const { tuning, strictness } = this;
    setFloors(state.planes, tuning, strictness);
    state.floorsMs = timeMs;
  }

  /** Raises motion for tracks that lie in a zone they are large enough for; else reports the zone and the track. */
  private motionInZones(state: DetectorState, objects: readonly Subject[], timeMs: number): Observation {
    const { zoneGate, width, height } = state;
    const minPixels = this.tuning.minArea * this.strictness * width * height;
    const verdicts = objects.map((track) => zoneGate.verdictOf(track, minPixels));
    const inside = objects.filter((_, i) => verdicts[i] === 'motion');
    if (inside.length > 0) return motionOf(state, inside, timeMs);
    const small = objects[verdicts.indexOf('small-for-zone')];
    if (small === undefined) return noMotion('outside-zones', state);
    const box = boxOf(small.blob, width, height);
    const area = small.blob.area / (width * height);
    return { ...noMotion('small-for-zone', state), area, box, zones: zoneGate.names(small, box, false) };
  }
}

/** How much faster the noise is learnt: by day the least floor is high enough, and what sways must not become quiet. */
function spreadFactorOf({ light, differedMs }: DetectorState, timeMs: number): number {
  if (timeMs - differedMs < YOUNG_BACKGROUND_MS) return 1;
  return 1 + (WARM_UP_LEARN_FACTOR - 1) * (1 - brightnessOf(light.level));
}

/** Whether the background was learnt from planes as large as this one, before any shrinking. */
function isSizeOf({ source }: DetectorState, { width, height }: LumaPlane): boolean {
  return width === source.width && height === source.height;
}

/** Returns who is too faint for single frames: in the dark, while the camera sees what it should and the scene is the same. */
function faintSubjects(state: DetectorState, timeMs: number, { scene, reason }: Observation): readonly Subject[] {
  const { faintWatch, tracker, sceneWatch, tamperWatch, light, index } = state;
  const isScene =
    scene === null && reason !== 'light' && !sceneWatch.isSettling(timeMs) && tamperWatch.sinceMs === null;
  if (isScene && brightnessOf(light.level) < FAINT_BRIGHTNESS_MAX) {
    return faintWatch.inspectFrame({ timeMs, index, newId: () => tracker.newId() });
  }
  faintWatch.clear();
  return [];
}

/** Returns the change of the whole scene with this frame, if any. An overlaid clock is part of the scene once found. */
function sceneOf(state: DetectorState, markedShare: number, timeMs: number): SceneChange | null {
  const { planes, tracker, sceneWatch, tamperWatch, overlayWatch, light } = state;
  const found = sceneWatch.inspectEvidence(timeMs, markedShare, light, () => overviewOf(planes, light));
  const durationMs = tamperWatch.durationIfOver(timeMs, planes, light, found !== null);
  if (durationMs !== null) sceneWatch.holdOff(timeMs);
  else if (found === 'tamper') tamperWatch.rememberScene(timeMs, planes, light);
  if (found !== null || durationMs !== null) {
    tracker.clear();
    // The background is learnt from this picture, in this light.
    planes.lastShades.fill(0);
  }
  if (durationMs !== null) return { class: 'tamper', durationMs };
  if (found !== null) return { class: found };
  return overlayWatch.inspectTiles(timeMs, planes) ? { class: 'overlay' } : null;
}

function motionOf(
  { zoneGate, width, height, index }: DetectorState,
  tracks: readonly Subject[],
  timeMs: number,
): Observation {
  const area = tracks.reduce((sum, { blob }) => sum + blob.area, 0) / (width * height);
  const largest = tracks.reduce((a, b) => (b.blob.area > a.blob.area ? b : a));
  const box = boxOf(largest.blob, width, height);
  return {
    motion: true,
    reason: 'motion',
    area,
    box,
    zones: zoneGate.names(largest, box, true),
    subjects: tracks.map(({ id }) => id),
    sinceFrame: Math.min(index, ...tracks.map(({ firstFrame }) => firstFrame)),
    sinceMs: Math.min(timeMs, ...tracks.map(({ firstMs }) => firstMs)),
    scene: null,
  };
}

function noMotion(reason: Reason, { index, lastMs }: DetectorState): Observation {
  return {
    motion: false,
    reason,
    area: 0,
    box: null,
    zones: [],
    subjects: [],
    scene: null,
    sinceFrame: index,
    sinceMs: lastMs,
  };
}

/** Sets how the background learns under a patch. */
function markLearning({ learning, layout }: Planes, { cells }: Blob, mode: number): void {
  const { stride } = layout;
  for (const cell of cells) {
    learning[cell] = mode;
    learning[cell + 1] = mode;
    learning[cell + stride] = mode;
    learning[cell + stride + 1] = mode;
  }
}
