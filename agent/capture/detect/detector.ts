import type { LumaPlane } from '../../../hal/camera.js';
import { inspectionOf, type Inspection } from './inspection.js';
import { BlobFinder, type Blob } from './kernel/blobs.js';
import { bestKernels } from './kernel/choose.js';
import { evidenceOf, overviewOf } from './kernel/evidence.js';
import type { Kernels } from './kernel/kernels.js';
import { EIGHTHS, LEARN, Planes } from './kernel/layout.js';
import { groundsOf, lightOf, type LocalLight } from './kernel/light.js';
import { shadesOf } from './kernel/shade.js';
import { natureOf, stillMaxMs } from './nature.js';
import { blank, maskPlane, type PrivacyMask } from './masks.js';
import { boxOf, type Observation, type Reason } from './observation.js';
import { OverlayWatch } from './overlay.js';
import { SHRINK, smallSize } from './plane-size.js';
import { SceneWatch, type SceneChange } from './scene-watch.js';
import { SweepWatch } from './sweep.js';
import { TamperWatch } from './tamper.js';
import type { Track } from './track.js';
import { Tracker } from './tracker.js';
import { TUNING, type Tuning } from './tuning.js';
import { ZoneGate } from './zone-gate.js';
import type { MotionZone } from './zones.js';

export interface DetectorSettings {
  /** 0 sees nothing but the coarsest, 100 the faintest. */
  readonly sensitivity: number;
  readonly zones: readonly MotionZone[];
  /** Nothing is looked for there. */
  readonly masks?: readonly PrivacyMask[];
  /** Motion shorter than this is none. */
  readonly minDurationMs: number;
}

/** The first pictures only teach, and hastily; a while longer they are young. */
const WARM_UP_MS = 1200;
const WARM_UP_FRAMES = 4;
const HASTE = 8;
const COLD_MS = 4000;
const BLOBS_MAX = 12;
const AREA_MIN_PIXELS = 6;
/** Farthest a patch may go in one second, as a fraction of the picture's width. */
const SPEED_PER_S = 1.2;
/** A gap in time longer than this says nothing about speed, and learning does not catch up on it. */
const STEP_MAX_MS = 1000;
/** Learning more often than this would only cost time. */
const LEARN_EVERY_MS = 80;
const DEVIATION_START = 512;
const CLUTTER_MS = 2000;
const Q15 = 32_768;
const Q13 = 8192;

/**
 * Finds what moves on a small grey plane. No clock, no I/O: the same frames, times and settings give the same answers.
 */
export class Detector {
  private readonly settings: DetectorSettings;
  private readonly tuning: Tuning;
  private readonly kernels: Kernels;
  private readonly strictness: number;
  private readonly tracker = new Tracker();
  private planes: Planes | null = null;
  private finder: BlobFinder | null = null;
  private watch = new SceneWatch();
  private tamper = new TamperWatch();
  private readonly overlay = new OverlayWatch();
  private readonly sweep = new SweepWatch();
  private light: LocalLight = { gain: 1, offset: 0, level: 0, usual: 0, relit: 0 };
  private gate: ZoneGate | null = null;
  /** 1 under a privacy mask; null without any. */
  private masked: Uint8Array | null = null;
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
    // From twice as strict at 0 to half at 100.
    this.strictness = 2 ** (1 - Math.min(100, Math.max(0, settings.sensitivity)) / 50);
  }

  get kernelsName(): Kernels['name'] {
    return this.kernels.name;
  }

  /** What the last frame was judged by; null before the first. For sheets alone. */
  inspect(): Inspection | null {
    return this.planes === null ? null : inspectionOf(this.planes, this.tracker.seenAt(this.lastMs));
  }

  /** Since when the camera does not see what it should: covered, blurred or turned. Null while it does. */
  get tamperedSinceMs(): number | null {
    return this.tamper.sinceMs;
  }

  /** The hardware says that its infrared-cut filter switches now: what changes next is no motion. */
  expectSwitch(timeMs: number): void {
    this.watch.expectSwitch(timeMs);
    this.tracker.clear();
  }

  /** Whether a look at this plane would be worth it: something differs from the background. It changes nothing. */
  differs(plane: LumaPlane): boolean {
    const { planes } = this;
    const { width, height } = smallSize(plane);
    if (planes === null || width !== this.width || height !== this.height) return true;
    const kept = [planes.mask, planes.flicker, planes.last, planes.shades].map((before) => ({
      before,
      copy: before.slice(),
    }));
    this.compare(planes, plane);
    const count = this.kernels.denoise();
    for (const { before, copy } of kept) before.set(copy);
    return count >= AREA_MIN_PIXELS;
  }

  observe(plane: LumaPlane, timeMs: number, index: number): Observation {
    this.index = index;
    const { width, height } = smallSize(plane);
    if (this.planes === null || width !== this.width || height !== this.height) {
      return this.startBackground(plane, timeMs);
    }
    const elapsedMs = Math.min(STEP_MAX_MS, Math.max(1, timeMs - this.lastMs));
    this.lastMs = timeMs;
    this.frames++;
    const marked = this.compare(this.planes, plane);
    const isWarmingUp = timeMs - this.firstMs < WARM_UP_MS || this.frames < WARM_UP_FRAMES;
    const observation = isWarmingUp
      ? this.nothing('starting', timeMs)
      : this.classifyFrame(this.planes, marked, timeMs, elapsedMs);
    if (isWarmingUp) this.planes.learning.fill(LEARN.background);
    this.updateBackground(timeMs, isWarmingUp ? HASTE : 1);
    return observation;
  }

  private startBackground(plane: LumaPlane, timeMs: number): Observation {
    const { width, height } = smallSize(plane);
    const wasOther = this.planes !== null;
    const { layout, memory } = this.kernels.place(width, height, SHRINK * SHRINK * width * height);
    const planes = new Planes(memory, layout);
    const { zones, masks = [] } = this.settings;
    this.masked = masks.length === 0 ? null : maskPlane(masks, width, height, layout.stride);
    this.load(planes, plane);
    this.kernels.smooth();
    planes.last.set(planes.current);
    for (let i = 0; i < layout.count; i++) planes.mean[i] = (planes.current[i] ?? 0) << 4;
    planes.deviation.fill(DEVIATION_START);
    // The outermost pixels have neighbours that are not theirs.
    for (let y = 1; y < height - 1; y++) planes.valid.fill(1, y * layout.stride + 1, y * layout.stride + width - 1);
    for (const [i, isMasked] of this.masked?.entries() ?? []) if (isMasked === 1) planes.valid[i] = 0;
    this.kernels.findRanges();
    this.gate = new ZoneGate(zones, { width, height }, layout.stride);
    this.finder = new BlobFinder(planes);
    this.planes = planes;
    this.watch = new SceneWatch();
    this.tamper = new TamperWatch();
    this.tracker.clear();
    [this.width, this.height, this.frames, this.clutter] = [width, height, 1, 0];
    this.firstMs = this.lastMs = this.learntMs = timeMs;
    return this.nothing(wasOther ? 'resized' : 'starting', timeMs);
  }

  /** Marks what differs from the background when the light is taken out; gives the share of the picture. */
  private compare(planes: Planes, plane: LumaPlane): number {
    const { kernels, tuning, strictness } = this;
    const { layout, sums, shades } = planes;
    this.load(planes, plane);
    kernels.smooth();
    kernels.sumTiles();
    const grounds = groundsOf(sums, layout);
    const light = lightOf(grounds);
    kernels.subtract(Math.round(light.gain * Q13), Math.round(light.offset * EIGHTHS));
    this.light = { ...light, relit: shadesOf(sums, layout, grounds, light, shades) };
    // Deviations are in 1/128 and thresholds in eighths.
    const deviations = Math.min(Q15 - 1, Math.round((Q15 / 16) * tuning.deviations * strictness));
    const floor = Math.round(tuning.floor * EIGHTHS * strictness);
    return kernels.classify(floor, deviations, Math.round(tuning.edges * (Q15 - 1))) / (this.width * this.height);
  }

  /** Copies a plane in; where its rows are shorter than a stride, their last pixel is repeated. */
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
    if (this.masked !== null) blank(raw, this.masked);
    if (stride === layout.width) return;
    for (let y = 0; y < height; y++) {
      const end = y * stride + layout.width;
      raw.fill(raw[end - 1] ?? 0, end, (y + 1) * stride);
    }
  }

  private classifyFrame(planes: Planes, marked: number, timeMs: number, elapsedMs: number): Observation {
    const scene = this.sceneOf(planes, marked, timeMs);
    if (this.watch.isSettling(timeMs)) {
      planes.learning.fill(LEARN.copy);
      return { ...this.nothing('light', timeMs), scene };
    }
    planes.learning.set(planes.mask);
    if (marked === 0) {
      this.tracker.update([], timeMs, this.index, 0);
      return { ...this.nothing('still', timeMs), scene };
    }
    const tracks = this.updateTracks(planes, timeMs, elapsedMs);
    const observation = this.weigh(tracks, timeMs);
    // Who walks throws a shadow, which is no news.
    const isSwept = !observation.motion && this.sweep.inspectTracks(timeMs, tracks, this.width * this.height);
    return { ...observation, scene: scene ?? (isSwept ? { class: 'illumination' } : null) };
  }

  private weigh(tracks: readonly Track[], timeMs: number): Observation {
    const seen = tracks.filter((track) => track.nature === 'object' && !this.isOver(track, timeMs));
    if (seen.length === 0) return this.nothing(whyNot(tracks), timeMs);
    return this.inZones(seen, timeMs);
  }

  /** What changed with the whole picture; an overlaid clock is part of it from now on. */
  private sceneOf(planes: Planes, marked: number, timeMs: number): SceneChange | null {
    const { watch, tamper, light } = this;
    const found = watch.inspectEvidence(timeMs, marked, light, () => overviewOf(planes, light));
    const durationMs = tamper.end(timeMs, planes, light, found !== null);
    if (durationMs !== null) watch.holdOff(timeMs);
    else if (found === 'tamper') tamper.rememberScene(timeMs, planes, light);
    if (found !== null || durationMs !== null) {
      this.tracker.clear();
      // The picture is learnt as it is now, in this light.
      planes.shades.fill(0);
    }
    if (durationMs !== null) return { class: 'tamper', durationMs };
    if (found !== null) return { class: found };
    return this.overlay.inspectTiles(timeMs, planes) ? { class: 'overlay' } : null;
  }

  /** Finds patches, judges their tracks, and says which pixels the background learns from. */
  private updateTracks(planes: Planes, timeMs: number, elapsedMs: number): readonly Track[] {
    const { kernels, tracker, finder, width, tuning, settings, strictness } = this;
    kernels.denoise();
    const pixels = width * this.height;
    const minArea = Math.max(AREA_MIN_PIXELS, tuning.minArea * strictness * pixels);
    const blobs = (finder?.find(minArea, BLOBS_MAX) ?? []).map((blob) => ({
      blob,
      evidence: evidenceOf(blob, planes, this.light.gain),
    }));
    const reach = 2 + (SPEED_PER_S * width * elapsedMs) / 1000;
    const tracks = tracker.update(blobs, timeMs, this.index, reach);
    const around = {
      timeMs,
      minDurationMs: settings.minDurationMs,
      width,
      pixels,
      strictness,
      clutter: this.clutter,
      isCold: timeMs - this.firstMs < COLD_MS,
    };
    for (const track of tracks) {
      track.nature = natureOf(track, around, tuning);
      if (track.nature !== 'object') track.moved = false;
      else if (track.travel > tuning.movedTravel * width) track.moved = true;
      paint(planes, track.blob, this.learningOf(track, timeMs));
    }
    const nothings = tracks.filter(({ nature }) => nature !== 'object').length;
    this.clutter += (nothings - this.clutter) * Math.min(1, elapsedMs / CLUTTER_MS);
    return tracks;
  }

  private isOver(track: Track, timeMs: number): boolean {
    return timeMs - track.activeMs > stillMaxMs(track, this.tuning);
  }

  /** What left, and what was put down and stays, belongs to the background at once; who stands still does not. */
  private learningOf(track: Track, timeMs: number): number {
    switch (track.nature) {
      case 'object':
        return this.isOver(track, timeMs) ? LEARN.copy : LEARN.object;
      case 'hole':
        return LEARN.copy;
      case 'light':
        return track.activeMs < timeMs ? LEARN.copy : LEARN.unknown;
      case 'unknown':
      case 'erratic':
        return LEARN.unknown;
    }
  }

  private updateBackground(timeMs: number, haste: number): void {
    const sinceMs = timeMs - this.learntMs;
    if (sinceMs < LEARN_EVERY_MS && haste === 1) return;
    const { followMs, unknownMs, spreadMs, flickerMs } = this.tuning;
    const rate = (constantMs: number): number =>
      Math.max(0, Math.min(Q15 - 1, Math.round((Q15 * Math.min(STEP_MAX_MS, sinceMs) * haste) / constantMs)));
    this.kernels.learn(rate(followMs), rate(unknownMs), rate(spreadMs), rate(flickerMs));
    this.kernels.findRanges();
    this.learntMs = timeMs;
  }

  /** As much of it as makes a patch is inside a zone that it is large enough for; else which zone, and what was there. */
  private inZones(seen: readonly Track[], timeMs: number): Observation {
    const least = this.tuning.minArea * this.strictness * this.width * this.height;
    const verdicts = seen.map((track) => this.gate?.verdictOf(track, least) ?? 'motion');
    const inside = seen.filter((_, i) => verdicts[i] === 'motion');
    if (inside.length > 0) return this.seen(inside, timeMs);
    const small = seen[verdicts.indexOf('small-for-zone')];
    if (small === undefined) return this.nothing('outside-zones', timeMs);
    const box = boxOf(small.blob, this.width, this.height);
    const area = small.blob.area / (this.width * this.height);
    const zones = this.gate?.names(small, box, false) ?? [];
    return { ...this.nothing('small-for-zone', timeMs), area, box, zones };
  }

  private seen(tracks: readonly Track[], timeMs: number): Observation {
    const boxes = tracks.map(({ blob }) => blob);
    const area = boxes.reduce((sum, { area: pixels }) => sum + pixels, 0) / (this.width * this.height);
    const largest = tracks.reduce((a, b) => (b.blob.area > a.blob.area ? b : a));
    const box = boxOf(largest.blob, this.width, this.height);
    return {
      motion: true,
      reason: 'motion',
      area,
      box,
      zones: this.gate?.names(largest, box, true) ?? [],
      subjects: tracks.map(({ id }) => id),
      sinceFrame: Math.min(this.index, ...tracks.map(({ firstFrame }) => firstFrame)),
      sinceMs: Math.min(timeMs, ...tracks.map(({ firstMs }) => firstMs)),
      scene: null,
    };
  }

  private nothing(reason: Reason, timeMs: number): Observation {
    const none = { motion: false, reason, area: 0, box: null, zones: [], subjects: [], scene: null } as const;
    return { ...none, sinceFrame: this.index, sinceMs: timeMs };
  }
}

function paint({ learning, layout }: Planes, { cells }: Blob, how: number): void {
  const { stride } = layout;
  for (const cell of cells) {
    learning[cell] = learning[cell + 1] = how;
    learning[cell + stride] = learning[cell + stride + 1] = how;
  }
}

/** The nature of the largest patch says why nothing is raised. */
function whyNot([largest]: readonly Track[]): Reason {
  switch (largest?.nature) {
    case undefined:
      return 'too-small';
    case 'light':
      return 'light';
    case 'erratic':
      return 'erratic';
    case 'hole':
    case 'object':
      return 'left';
    case 'unknown':
      return 'too-short';
  }
}
