import type { LumaPlane } from '../../hal/camera.js';
import type { Box } from './detect/observation.js';

/** A box this close to an edge of the picture is cut by it, and worth half. */
const EDGE_DISTANCE_MAX = 0.02;
const CUT_WORTH_FACTOR = 0.5;
/** A picture is better when it is worth this many times as much: 10 % larger, or a good fifth sharper. */
const BETTER_WORTH_FACTOR = 1.1;
/** Least time from the start to the first better picture; it doubles with each. */
const FIRST_UPDATE_MS = 1500;
const UPDATES_MAX = 3;

/** Sharpness is measured in at most this many pixels. */
const SHARPNESS_PIXELS_MAX = 1024;
/** Contrast that noise alone makes, in grey levels. */
const NOISE_CONTRAST = 2;
/** Added to the sharpness, so that a blurred picture is still worth its area. */
const SHARPNESS_OFFSET = 0.05;

/** The subject takes this share of a crop's side, and the crop at least this share of the picture's. */
const SUBJECT_SHARE = 0.55;
const CROP_MIN_SHARE = 0.3;

/**
 * Returns how sharp the picture is inside a box: the mean second difference over the contrast, so that light and distance
 * do not count. It compares only with other pictures of the same subject.
 */
export function sharpnessOf({ width, height, data }: LumaPlane, box: Box): number {
  const [left, right] = innerPixels(box.left, box.width, width);
  const [top, bottom] = innerPixels(box.top, box.height, height);
  const across = right - left;
  if (across < 1 || bottom - top < 1) return 0;
  const rowStep = Math.max(1, Math.ceil((across * (bottom - top)) / SHARPNESS_PIXELS_MAX));
  let count = 0;
  let sum = 0;
  let squares = 0;
  let secondDifferences = 0;
  for (let y = top; y < bottom; y += rowStep) {
    for (let at = y * width + left, end = at + across; at < end; at++) {
      const grey = data[at] ?? 0;
      const around = (data[at - 1] ?? 0) + (data[at + 1] ?? 0) + (data[at - width] ?? 0) + (data[at + width] ?? 0);
      sum += grey;
      squares += grey * grey;
      secondDifferences += Math.abs(4 * grey - around);
      count++;
    }
  }
  const mean = sum / count;
  return secondDifferences / count / (NOISE_CONTRAST + Math.sqrt(Math.max(0, squares / count - mean * mean)));
}

/** Converts a share of the picture to pixels that have neighbours on all sides. */
function innerPixels(from: number, size: number, pixels: number): readonly [number, number] {
  return [Math.max(1, Math.round(from * pixels)), Math.min(pixels - 1, Math.round((from + size) * pixels))];
}

/** Returns how much a picture is worth beside others of the same event. */
function worthOf(area: number, box: Box | null, sharpness: number): number {
  const isCut =
    box !== null &&
    (box.left < EDGE_DISTANCE_MAX ||
      box.top < EDGE_DISTANCE_MAX ||
      box.left + box.width > 1 - EDGE_DISTANCE_MAX ||
      box.top + box.height > 1 - EDGE_DISTANCE_MAX);
  return area * Math.sqrt(SHARPNESS_OFFSET + sharpness) * (isCut ? CUT_WORTH_FACTOR : 1);
}

interface Shot {
  readonly timeMs: number;
  readonly area: number;
  readonly box: Box | null;
}

/** Chooses the pictures of one event: the first, a few better ones while it lasts, and the best at its end. */
export class PictureChoice<S extends Shot> {
  private best: S;
  private bestWorth: number;
  private sentWorth: number;
  private sentMs: number;
  private updates = 0;

  /** `first` is sent by the caller. */
  constructor(first: S, sharpness: number) {
    this.best = first;
    this.bestWorth = worthOf(first.area, first.box, sharpness);
    this.sentWorth = this.bestWorth;
    this.sentMs = first.timeMs;
  }

  /** Adds a picture of the event. */
  offer(shot: S, sharpness: number): void {
    const worth = worthOf(shot.area, shot.box, sharpness);
    if (worth <= this.bestWorth) return;
    this.best = shot;
    this.bestWorth = worth;
  }

  /** Returns the best picture so far, if it is time for an update and it is better than the last one sent. */
  update(timeMs: number): S | null {
    const waitMs = FIRST_UPDATE_MS * 2 ** this.updates;
    if (this.updates >= UPDATES_MAX || timeMs - this.sentMs < waitMs || !this.isBetter()) return null;
    this.updates++;
    this.sentWorth = this.bestWorth;
    this.sentMs = timeMs;
    return this.best;
  }

  /** Returns the best picture of the event; null where it, or one as good, was sent. */
  last(): S | null {
    return this.isBetter() ? this.best : null;
  }

  private isBetter(): boolean {
    return this.bestWorth >= BETTER_WORTH_FACTOR * this.sentWorth && this.bestWorth > this.sentWorth;
  }
}

/** Returns a crop with the shape of the picture, and the subject in its middle where the edges allow it. */
export function cropAround({ left, top, width, height }: Box): Box {
  const side = Math.min(1, Math.max(CROP_MIN_SHARE, Math.max(width, height) / SUBJECT_SHARE));
  const from = (middle: number): number => Math.min(1 - side, Math.max(0, middle - side / 2));
  return { left: from(left + width / 2), top: from(top + height / 2), width: side, height: side };
}

/** Returns the part of the picture that is shown, by the setting `thumbnail.crop`; null for all of it. */
export function cropFor(crop: 'none' | 'subject', box: Box | null): Box | null {
  return crop === 'subject' && box !== null ? cropAround(box) : null;
}

/** Converts a box from fractions of the picture to fractions of its crop. */
export function boxWithin(crop: Box, { left, top, width, height }: Box): Box {
  return {
    left: (left - crop.left) / crop.width,
    top: (top - crop.top) / crop.height,
    width: width / crop.width,
    height: height / crop.height,
  };
}
