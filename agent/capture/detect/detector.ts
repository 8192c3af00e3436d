import type { LumaPlane } from '../../../hal/camera.js';
import { inspectionOf, type Inspection } from './inspection.js';
import { KeptPlanes } from './kept-planes.js';
import { BlobFinder, type Blob } from './kernel/blobs.js';
import { bestKernels } from './kernel/choose.js';
import { evidenceOf, overviewOf } from './kernel/evidence.js';
import type { Kernels } from './kernel/kernels.js';
import { EIGHTHS_PER_LEVEL, LEARNING_MODE, Planes } from './kernel/layout.js';
import { groundsOf, lightOf, type LocalLight } from './kernel/light.js';
import { shadesOf } from './kernel/shade.js';
import { natureOf, reasonWithoutObject, stillMaxMs } from './nature.js';
import { fillMasked, maskPlane, type PrivacyMask } from './masks.js';
import { boxOf, type Observation, type Reason } from './observation.js';
import { OverlayWatch } from './overlay.js';
import { workingSize, type Size } from './plane-size.js';
import { SceneWatch, type SceneChange } from './scene-watch.js';
import { SweepWatch } from './sweep.js';
import { TamperWatch } from './tamper.js';
import type { Track } from './track.js';
import { Tracker } from './tracker.js';
import { TUNING, type Tuning } from './tuning.js';
import { ZoneGate } from './zone-gate.js';
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
/** The background learns no more often; more would only cost time. */
const LEARN_EVERY_MS = 80;
/** In 1/128 of a grey level. */
const DEVIATION_START = 512;
/** Time constant of the mean number of patches that are not objects. */
const CLUTTER_TIME_CONSTANT_MS = 2000;
/** One, in fixed point of 15 and of 13 fraction bits. */
const Q15_ONE = 32_768;
const Q13_ONE = 8192;

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
  private readonly tracker = new Tracker();
  private planes: Planes | null = null;
  private blobFinder: BlobFinder | null = null;
  private kept: KeptPlanes | null = null;
  private sceneWatch = new SceneWatch();
  private tamperWatch = new TamperWatch();
  private readonly overlayWatch = new OverlayWatch();
  private readonly sweepWatch = new SweepWatch();
  private light: LocalLight = { gain: 1, offset: 0, level: 0, usual: 0, relit: 0 };
  private zoneGate: ZoneGate | null = null;
  /** 1 under a privacy mask; null without masks. */
  private masked: Uint8Array | null = null;
  private source: Size = { width: 0, height: 0 };
  private width = 0;
  private height = 0;
  private firstMs = 0;
  private lastMs = 0;
  private learntMs = 0;
  private index = 0;
  private frames = 0;
  private clutter = 0;

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
    return this.planes === null ? null : inspectionOf(this.planes, this.tracker.seenAt(this.lastMs));
  }

  /** Since when the camera does not see what it should: covered, blurred or turned. Null while it does. */
  get tamperedSinceMs(): number | null {
    return this.tamperWatch.sinceMs;
  }

  /** The infrared-cut filter switches now, as the hardware reports: the change that follows is not motion. */
  expectSwitch(timeMs: number): void {
    this.sceneWatch.expectSwitch(timeMs);
    this.tracker.clear();
  }

  /** Reports whether something in this plane differs from the background. Changes nothing. */
  differs(plane: LumaPlane): boolean {
    const { planes } = this;
    if (planes === null || !this.isSizeOf(plane)) return true;
    this.kept?.keep();
    this.compare(planes, plane);
    const count = this.kernels.denoise();
    this.kept?.restore();
    return count >= AREA_MIN_PIXELS;
  }

  /** Adds a frame; `timeMs` must not run backwards. Returns what moves in it, or why nothing counts as motion. */
  observe(plane: LumaPlane, timeMs: number, index: number): Observation {
    this.index = index;
    if (this.planes === null || !this.isSizeOf(plane)) return this.startBackground(plane, timeMs);
    const elapsedMs = Math.min(STEP_MAX_MS, Math.max(1, timeMs - this.lastMs));
    this.lastMs = timeMs;
    this.frames++;
    const markedShare = this.compare(this.planes, plane);
    const isWarmingUp = timeMs - this.firstMs < WARM_UP_MS || this.frames < WARM_UP_FRAMES;
    const observation = isWarmingUp
      ? this.noMotion('starting', timeMs)
      : this.classifyFrame(this.planes, markedShare, timeMs, elapsedMs);
    if (isWarmingUp) this.planes.learning.fill(LEARNING_MODE.background);
    this.updateBackground(timeMs, isWarmingUp ? WARM_UP_LEARN_FACTOR : 1);
    return observation;
  }

  /** Whether the background was learnt from planes as large as this one, before any shrinking. */
  private isSizeOf({ width, height }: LumaPlane): boolean {
    return width === this.source.width && height === this.source.height;
  }

  private startBackground(plane: LumaPlane, timeMs: number): Observation {
    const { width, height } = workingSize(plane);
    const isResized = this.planes !== null;
    const sourcePixels = plane.width === width ? 0 : plane.width * plane.height;
    const { layout, memory } = this.kernels.place(width, height, sourcePixels);
    const planes = new Planes(memory, layout);
    const { zones, masks = [] } = this.settings;
    this.masked = masks.length === 0 ? null : maskPlane(masks, width, height, layout.stride);
    this.load(planes, plane);
    this.kernels.smooth();
    planes.last.set(planes.current);
    for (let i = 0; i < layout.count; i++) planes.mean[i] = (planes.current[i] ?? 0) << 4;
    planes.deviation.fill(DEVIATION_START);
    // The outermost pixels are smoothed with what lies outside the picture.
    for (let y = 1; y < height - 1; y++) planes.valid.fill(1, y * layout.stride + 1, y * layout.stride + width - 1);
    for (const [i, isMasked] of this.masked?.entries() ?? []) if (isMasked === 1) planes.valid[i] = 0;
    this.kernels.findRanges();
    this.zoneGate = new ZoneGate(zones, { width, height }, layout.stride);
    this.blobFinder = new BlobFinder(planes);
    this.planes = planes;
    this.kept = new KeptPlanes(planes);
    this.sceneWatch = new SceneWatch();
    this.tamperWatch = new TamperWatch();
    this.tracker.clear();
    this.source = { width: plane.width, height: plane.height };
    this.width = width;
    this.height = height;
    this.frames = 1;
    this.clutter = 0;
    this.firstMs = timeMs;
    this.lastMs = timeMs;
    this.learntMs = timeMs;
    return this.noMotion(isResized ? 'resized' : 'starting', timeMs);
  }

  /** Marks the pixels that differ from the background in this light. Returns their share of the picture. */
  private compare(planes: Planes, plane: LumaPlane): number {
    const { kernels, tuning, strictness } = this;
    const { layout, sums } = planes;
    this.load(planes, plane);
    kernels.smooth();
    kernels.sumTiles();
    const grounds = groundsOf(sums, layout);
    const light = lightOf(grounds);
    kernels.subtract(Math.round(light.gain * Q13_ONE), Math.round(light.offset * EIGHTHS_PER_LEVEL));
    this.light = { ...light, relit: shadesOf(planes, grounds, light) };
    // Deviations are in 1/128 and thresholds in eighths.
    const deviations = Math.min(Q15_ONE - 1, Math.round((Q15_ONE / 16) * tuning.deviations * strictness));
    const floor = Math.round(tuning.floor * EIGHTHS_PER_LEVEL * strictness);
    return kernels.classify(floor, deviations, Math.round(tuning.edges * (Q15_ONE - 1))) / (this.width * this.height);
  }

  /** Copies a plane into `raw`, shrunk if it is large. The last pixel of a row is repeated up to the stride. */
  private load(planes: Planes, { width, data }: LumaPlane): void {
    const { raw, source, layout } = planes;
    const { stride, height } = layout;
    const isLarge = width !== layout.width;
    if (isLarge) {
      source.set(data);
      this.kernels.shrink4();
    } else if (stride === width) {
      raw.set(data);
    } else {
      for (let y = 0; y < height; y++) raw.set(data.subarray(y * width, (y + 1) * width), y * stride);
    }
    if (this.masked !== null) fillMasked(raw, this.masked);
    if (stride === layout.width) return;
    for (let y = 0; y < height; y++) {
      const end = y * stride + layout.width;
      raw.fill(raw[end - 1] ?? 0, end, (y + 1) * stride);
    }
  }

  private classifyFrame(planes: Planes, markedShare: number, timeMs: number, elapsedMs: number): Observation {
    const scene = this.sceneOf(planes, markedShare, timeMs);
    if (this.sceneWatch.isSettling(timeMs)) {
      planes.learning.fill(LEARNING_MODE.copy);
      return { ...this.noMotion('light', timeMs), scene };
    }
    planes.learning.set(planes.mask);
    if (markedShare === 0) {
      this.tracker.update([], timeMs, this.index, 0);
      return { ...this.noMotion('still', timeMs), scene };
    }
    const tracks = this.updateTracks(planes, timeMs, elapsedMs);
    const observation = this.decideMotion(tracks, timeMs);
    // A person who walks throws a shadow; that is not a change of light to report.
    const isSweep = !observation.motion && this.sweepWatch.inspectTracks(timeMs, tracks, this.width * this.height);
    return { ...observation, scene: scene ?? (isSweep ? { class: 'illumination' } : null) };
  }

  private decideMotion(tracks: readonly Track[], timeMs: number): Observation {
    const objects = tracks.filter((track) => track.nature === 'object' && !this.isStillTooLong(track, timeMs));
    if (objects.length === 0) return this.noMotion(reasonWithoutObject(tracks), timeMs);
    return this.motionInZones(objects, timeMs);
  }

  /** Returns the change of the whole scene with this frame, if any. An overlaid clock is part of the scene once found. */
  private sceneOf(planes: Planes, markedShare: number, timeMs: number): SceneChange | null {
    const { sceneWatch, tamperWatch, light } = this;
    const found = sceneWatch.inspectEvidence(timeMs, markedShare, light, () => overviewOf(planes, light));
    const durationMs = tamperWatch.durationIfOver(timeMs, planes, light, found !== null);
    if (durationMs !== null) sceneWatch.holdOff(timeMs);
    else if (found === 'tamper') tamperWatch.rememberScene(timeMs, planes, light);
    if (found !== null || durationMs !== null) {
      this.tracker.clear();
      // The background is learnt from this picture, in this light.
      planes.shades.fill(0);
    }
    if (durationMs !== null) return { class: 'tamper', durationMs };
    if (found !== null) return { class: found };
    return this.overlayWatch.inspectTiles(timeMs, planes) ? { class: 'overlay' } : null;
  }

  /** Finds patches, decides the nature of their tracks, and marks how the background learns under each. */
  private updateTracks(planes: Planes, timeMs: number, elapsedMs: number): readonly Track[] {
    const { kernels, tracker, blobFinder, width, tuning, settings, strictness } = this;
    kernels.denoise();
    const pixels = width * this.height;
    const minArea = Math.max(AREA_MIN_PIXELS, tuning.minArea * strictness * pixels);
    const blobs = (blobFinder?.find(minArea, BLOBS_MAX) ?? []).map((blob) => ({
      blob,
      evidence: evidenceOf(blob, planes, this.light.gain),
    }));
    const reach = 2 + (SPEED_MAX_PER_S * width * elapsedMs) / 1000;
    const tracks = tracker.update(blobs, timeMs, this.index, reach);
    const around = {
      timeMs,
      minDurationMs: settings.minDurationMs,
      width,
      pixels,
      strictness,
      clutter: this.clutter,
      isBackgroundYoung: timeMs - this.firstMs < YOUNG_BACKGROUND_MS,
    };
    for (const track of tracks) {
      track.nature = natureOf(track, around, tuning);
      if (track.nature !== 'object') track.moved = false;
      else if (track.travel > tuning.movedTravel * width) track.moved = true;
      markLearning(planes, track.blob, this.learningModeOf(track, timeMs));
    }
    const clutter = tracks.filter(({ nature }) => nature !== 'object').length;
    this.clutter += (clutter - this.clutter) * Math.min(1, elapsedMs / CLUTTER_TIME_CONSTANT_MS);
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

  private updateBackground(timeMs: number, learnFactor: number): void {
    const sinceMs = timeMs - this.learntMs;
    if (sinceMs < LEARN_EVERY_MS && learnFactor === 1) return;
    const { followMs, unknownMs, spreadMs, flickerMs } = this.tuning;
    const rate = (constantMs: number): number =>
      Math.max(
        0,
        Math.min(Q15_ONE - 1, Math.round((Q15_ONE * Math.min(STEP_MAX_MS, sinceMs) * learnFactor) / constantMs)),
      );
    this.kernels.learn(rate(followMs), rate(unknownMs), rate(spreadMs), rate(flickerMs));
    this.kernels.findRanges();
    this.learntMs = timeMs;
  }

  /** Raises motion for tracks that lie in a zone they are large enough for; else reports the zone and the track. */
  private motionInZones(objects: readonly Track[], timeMs: number): Observation {
    const minPixels = this.tuning.minArea * this.strictness * this.width * this.height;
    const verdicts = objects.map((track) => this.zoneGate?.verdictOf(track, minPixels) ?? 'motion');
    const inside = objects.filter((_, i) => verdicts[i] === 'motion');
    if (inside.length > 0) return this.motionOf(inside, timeMs);
    const small = objects[verdicts.indexOf('small-for-zone')];
    if (small === undefined) return this.noMotion('outside-zones', timeMs);
    const box = boxOf(small.blob, this.width, this.height);
    const area = small.blob.area / (this.width * this.height);
    const zones = this.zoneGate?.names(small, box, false) ?? [];
    return { ...this.noMotion('small-for-zone', timeMs), area, box, zones };
  }

  private motionOf(tracks: readonly Track[], timeMs: number): Observation {
    const boxes = tracks.map(({ blob }) => blob);
    const area = boxes.reduce((sum, { area: pixels }) => sum + pixels, 0) / (this.width * this.height);
    const largest = tracks.reduce((a, b) => (b.blob.area > a.blob.area ? b : a));
    const box = boxOf(largest.blob, this.width, this.height);
    return {
      motion: true,
      reason: 'motion',
      area,
      box,
      zones: this.zoneGate?.names(largest, box, true) ?? [],
      subjects: tracks.map(({ id }) => id),
      sinceFrame: Math.min(this.index, ...tracks.map(({ firstFrame }) => firstFrame)),
      sinceMs: Math.min(timeMs, ...tracks.map(({ firstMs }) => firstMs)),
      scene: null,
    };
  }

  private noMotion(reason: Reason, timeMs: number): Observation {
    return {
      motion: false,
      reason,
      area: 0,
      box: null,
      zones: [],
      subjects: [],
      scene: null,
      sinceFrame: this.index,
      sinceMs: timeMs,
    };
  }
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
