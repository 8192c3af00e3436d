import type { LumaPlane } from '../../../hal/camera.js';
import { FaintWatch } from './faint.js';
import { BlobFinder } from './kernel/blobs.js';
import type { Kernels } from './kernel/kernels.js';
import { Planes } from './kernel/layout.js';
import type { LocalLight } from './kernel/light.js';
import { LifeWatch } from './life.js';
import { fillMasked, maskPlane, type PrivacyMask } from './masks.js';
import { OverlayWatch } from './overlay.js';
import { workingSize, type Size } from './plane-size.js';
import { SceneWatch } from './scene-watch.js';
import { SweepWatch } from './sweep.js';
import { TamperWatch } from './tamper.js';
import { Tracker } from './tracker.js';
import { ZoneGate } from './zone-gate.js';
import type { MotionZone } from './zones.js';

/** In 1/128 of a grey level. */
const DEVIATION_START = 512;

/** All that the detector keeps from one frame to the next. */
export interface DetectorState {
  /** Of the planes that come, before any shrinking. */
  readonly source: Size;
  readonly width: number;
  readonly height: number;
  readonly planes: Planes;
  /** 1 under a privacy mask; null without masks. */
  readonly masked: Uint8Array | null;
  readonly blobFinder: BlobFinder;
  readonly zoneGate: ZoneGate;
  readonly tracker: Tracker;
  readonly sceneWatch: SceneWatch;
  readonly tamperWatch: TamperWatch;
  readonly overlayWatch: OverlayWatch;
  readonly sweepWatch: SweepWatch;
  readonly lifeWatch: LifeWatch;
  readonly faintWatch: FaintWatch;
  light: LocalLight;
  readonly firstMs: number;
  lastMs: number;
  learntMs: number;
  floorsMs: number;
  /** When something last differed from the background. */
  differedMs: number;
  index: number;
  frames: number;
  /** Slow mean of the number of patches that are not objects. */
  clutter: number;
}

/** What is known before the first plane of a size. */
export interface Start {
  readonly kernels: Kernels;
  readonly zones: readonly MotionZone[];
  readonly masks: readonly PrivacyMask[];
  readonly timeMs: number;
  readonly index: number;
  /** The state that ends with this plane: its subjects keep their numbers, and a clock that was found stays found. */
  readonly before: DetectorState | null;
}

/** Learns the first background from a plane. */
export function startState(plane: LumaPlane, { kernels, zones, masks, timeMs, index, before }: Start): DetectorState {
  const { width, height } = workingSize(plane);
  const sourcePixels = plane.width === width ? 0 : plane.width * plane.height;
  const { layout, memory } = kernels.place(width, height, sourcePixels);
  const { stride, count } = layout;
  const planes = new Planes(memory, layout);
  const masked = masks.length === 0 ? null : maskPlane(masks, width, height, stride);
  loadPlane(plane, planes, masked, kernels);
  kernels.smooth();
  planes.last.set(planes.current);
  for (let i = 0; i < count; i++) planes.mean[i] = (planes.current[i] ?? 0) << 4;
  planes.deviation.fill(DEVIATION_START);
  // The outermost pixels are smoothed with what lies outside the picture.
  for (let y = 1; y < height - 1; y++) planes.valid.fill(1, y * stride + 1, y * stride + width - 1);
  for (const [i, isMasked] of masked?.entries() ?? []) if (isMasked === 1) planes.valid[i] = 0;
  kernels.findRanges();
  before?.tracker.clear();
  return {
    source: { width: plane.width, height: plane.height },
    width,
    height,
    planes,
    masked,
    blobFinder: new BlobFinder(planes),
    zoneGate: new ZoneGate(zones, { width, height }, stride),
    tracker: before?.tracker ?? new Tracker(),
    sceneWatch: new SceneWatch(),
    tamperWatch: new TamperWatch(),
    overlayWatch: before?.overlayWatch ?? new OverlayWatch(),
    sweepWatch: before?.sweepWatch ?? new SweepWatch(),
    lifeWatch: new LifeWatch(count),
    faintWatch: new FaintWatch(planes),
    light: { gain: 1, offset: 0, level: 0, usual: 0, relit: 0 },
    firstMs: timeMs,
    lastMs: timeMs,
    learntMs: timeMs,
    floorsMs: -Infinity,
    differedMs: timeMs,
    index,
    frames: 1,
    clutter: 0,
  };
}

/** Copies a plane into `raw`, shrunk if it is large. The last pixel of a row is repeated up to the stride. */
export function loadPlane(
  { width, data }: LumaPlane,
  { raw, source, layout }: Planes,
  masked: Uint8Array | null,
  kernels: Kernels,
): void {
  const { stride, height } = layout;
  const isLarge = width !== layout.width;
  if (isLarge) {
    source.set(data);
    kernels.shrink4();
  } else if (stride === width) {
    raw.set(data);
  } else {
    for (let y = 0; y < height; y++) raw.set(data.subarray(y * width, (y + 1) * width), y * stride);
  }
  if (masked !== null) fillMasked(raw, masked);
  if (stride === layout.width) return;
  for (let y = 0; y < height; y++) {
    const end = y * stride + layout.width;
    raw.fill(raw[end - 1] ?? 0, end, (y + 1) * stride);
  }
}
