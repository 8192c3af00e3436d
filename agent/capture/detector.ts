import type { LumaPlane } from '../../hal/camera.js';
import { Background } from './kernel/background.js';
import { denoise, findBlobs, type Blob } from './kernel/blobs.js';
import { differenceWithoutLight } from './kernel/illumination.js';
import { at, blur3 } from './kernel/plane.js';
import { Tracker, type Track } from './tracks.js';
import { zoneMask, zonesOf, type MotionZone } from './zones.js';

export interface DetectorSettings {
  /** 0 sees nothing but the coarsest, 100 the faintest. */
  readonly sensitivity: number;
  readonly zones: readonly MotionZone[];
  /** Motion shorter than this is none. */
  readonly minDurationMs: number;
}

/** In fractions of the picture. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export type Reason =
  'motion' | 'still' | 'starting' | 'light' | 'too-small' | 'too-short' | 'outside-zones' | 'resized';

/** What one frame shows. */
export interface Observation {
  readonly motion: boolean;
  /** Why, or why not. */
  readonly reason: Reason;
  /** Fraction of the picture that moves. */
  readonly area: number;
  readonly box: Box | null;
  readonly zones: readonly string[];
  /** Frame in which what moves was first seen; this frame without motion. */
  readonly sinceFrame: number;
  readonly sinceMs: number;
}

/** The first pictures only teach. */
const WARM_UP_MS = 1200;
const WARM_UP_FRAMES = 4;
/** More of the picture than this at once is a change of light or a moved camera. */
const FLOOD = 0.55;
const FLOOD_HOLD_MS = 600;
/** A patch in which nothing changed for this long is a shadow of the past: somebody left, or a thing was put down. */
const QUIET_MS = 2500;
const BLOBS_MAX = 12;
/** Farthest a patch may go in one second, as a fraction of the picture's width. */
const SPEED_PER_S = 1.2;
/** A gap in time longer than this says nothing about speed, and learning does not catch up on it. */
const STEP_MAX_MS = 1000;

/**
 * Finds what moves on a small grey plane. No clock, no I/O: the same frames, times and settings give the same answers.
 */
export class Detector {
  private readonly settings: DetectorSettings;
  private readonly tracker = new Tracker();
  private model: Background | null = null;
  private width = 0;
  private height = 0;
  private counts = new Uint8Array(0);
  private blurred = new Uint8Array(0);
  private clean = new Uint8Array(0);
  private firstMs = 0;
  private lastMs = 0;
  private index = 0;
  private frames = 0;
  private floodUntilMs = -Infinity;

  constructor(settings: DetectorSettings) {
    this.settings = settings;
  }

  observe(plane: LumaPlane, timeMs: number, index: number): Observation {
    if (this.model === null || plane.width !== this.width || plane.height !== this.height) {
      return this.begin(plane, timeMs, index);
    }
    this.index = index;
    const elapsedMs = Math.min(STEP_MAX_MS, Math.max(1, timeMs - this.lastMs));
    this.lastMs = timeMs;
    this.frames++;
    blur3(plane.data, this.width, this.height, this.blurred);
    const { model } = this;
    differenceWithoutLight(this.blurred, model.mean, this.width, this.height, model.difference);
    const sensitivity = Math.min(100, Math.max(0, this.settings.sensitivity)) / 100;
    // 50 gives 9 grey levels and 4 deviations.
    const strictness = 2 ** (1 - 2 * sensitivity);
    const marked = model.classify(this.blurred, elapsedMs, { floor: 9 * strictness, deviations: 4 * strictness });
    const warm = timeMs - this.firstMs < WARM_UP_MS || this.frames < WARM_UP_FRAMES;
    const flood = marked > FLOOD * model.mask.length;
    const observation = warm
      ? this.nothing('starting', timeMs)
      : this.judge(marked, flood, timeMs, elapsedMs, strictness);
    model.learn(this.blurred, elapsedMs, warm ? 8 : 1);
    return observation;
  }

  private begin(plane: LumaPlane, timeMs: number, index: number): Observation {
    const resized = this.model !== null;
    this.index = index;
    this.width = plane.width;
    this.height = plane.height;
    this.blurred = new Uint8Array(plane.data.length);
    this.clean = new Uint8Array(plane.data.length);
    blur3(plane.data, plane.width, plane.height, this.blurred);
    this.model = new Background(this.blurred);
    this.counts = new Uint8Array(zoneMask(this.settings.zones, plane.width, plane.height));
    this.tracker.clear();
    this.firstMs = timeMs;
    this.lastMs = timeMs;
    this.frames = 1;
    return this.nothing(resized ? 'resized' : 'starting', timeMs);
  }

  private judge(marked: number, flood: boolean, timeMs: number, elapsedMs: number, strictness: number): Observation {
    const { model } = this;
    if (model === null) return this.nothing('starting', timeMs);
    if (flood) {
      this.floodUntilMs = timeMs + FLOOD_HOLD_MS;
      model.reset(this.blurred);
      this.tracker.clear();
    }
    if (timeMs < this.floodUntilMs) return this.nothing('light', timeMs);
    if (marked === 0) {
      this.tracker.update([], timeMs, this.index, 0);
      return this.nothing('still', timeMs);
    }
    denoise(model.mask, this.width, this.height, this.clean);
    for (let i = 0; i < this.clean.length; i++) this.clean[i] = at(this.clean, i) & at(this.counts, i);
    const minArea = Math.max(6, 0.0022 * strictness * this.clean.length);
    const blobs = findBlobs(this.clean, model.stillMs, this.width, this.height, minArea, BLOBS_MAX);
    const reach = 2 + (SPEED_PER_S * this.width * elapsedMs) / 1000;
    const tracks = this.tracker.update(blobs, timeMs, this.index, reach).filter((track) => track.lastMs === timeMs);
    if (tracks.length === 0) return this.nothing('too-small', timeMs);
    const lasting = tracks.filter((track) => this.isLasting(track, timeMs));
    if (lasting.length === 0) return this.nothing('too-short', timeMs);
    return this.seen(lasting, timeMs);
  }

  private isLasting(track: Track, timeMs: number): boolean {
    const isLong = track.hits >= 3 && track.lastMs - track.firstMs >= this.settings.minDurationMs;
    return isLong && timeMs - track.activeMs <= QUIET_MS;
  }

  private seen(tracks: readonly Track[], timeMs: number): Observation {
    const boxes = tracks.map(({ blob }) => blob);
    const area = boxes.reduce((sum, { area: pixels }) => sum + pixels, 0) / (this.width * this.height);
    const largest = boxes.reduce((a, b) => (b.area > a.area ? b : a));
    const box = this.boxOf(largest);
    return {
      motion: true,
      reason: 'motion',
      area,
      box,
      zones: zonesOf(this.settings.zones, box),
      sinceFrame: Math.min(this.index, ...tracks.map(({ firstFrame }) => firstFrame)),
      sinceMs: Math.min(timeMs, ...tracks.map(({ firstMs }) => firstMs)),
    };
  }

  private boxOf({ left, top, right, bottom }: Blob): Box {
    return {
      left: left / this.width,
      top: top / this.height,
      width: (right - left + 1) / this.width,
      height: (bottom - top + 1) / this.height,
    };
  }

  private nothing(reason: Reason, timeMs: number): Observation {
    return { motion: false, reason, area: 0, box: null, zones: [], sinceFrame: this.index, sinceMs: timeMs };
  }
}
