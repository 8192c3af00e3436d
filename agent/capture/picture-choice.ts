import type { LumaPlane } from '../../hal/camera.js';
import type { Box } from './detect/observation.js';

/** A box that comes so close to an edge of the picture shows somebody who is cut by it; that counts half. */
const EDGE = 0.02;
const CUT_WORTH = 0.5;
/** A picture is better when it is worth this much more: 10 % larger, or a good fifth sharper. */
const BETTER = 1.1;
/** Better pictures are sent no sooner than this after the one before, and the wait doubles with each. */
const FIRST_UPDATE_MS = 1500;
const UPDATES_MAX = 3;

/** Sharpness is looked for in so many pixels at most, in grey levels beside noise of so many. */
const PIXELS_MAX = 1024;
const NOISE = 2;
/** What has no edges at all is still worth its area. */
const BLUR = 0.05;

/** What is cropped: the subject takes so much of the crop's side, and the crop so much of the picture at least. */
const SUBJECT_SHARE = 0.55;
const CROP_MIN = 0.3;

/**
 * How sharp the picture is inside a box: its mean second difference over its contrast, so that light and distance do not count.
 * Of use only beside other pictures of the same thing.
 */
export function sharpnessOf({ width, height, data }: LumaPlane, box: Box): number {
  const [left, right] = insideOf(box.left, box.width, width);
  const [top, bottom] = insideOf(box.top, box.height, height);
  const across = right - left;
  if (across < 1 || bottom - top < 1) return 0;
  const rowStep = Math.max(1, Math.ceil((across * (bottom - top)) / PIXELS_MAX));
  let [count, sum, squares, bends] = [0, 0, 0, 0];
  for (let y = top; y < bottom; y += rowStep) {
    for (let at = y * width + left, end = at + across; at < end; at++) {
      const grey = data[at] ?? 0;
      const around = (data[at - 1] ?? 0) + (data[at + 1] ?? 0) + (data[at - width] ?? 0) + (data[at + width] ?? 0);
      sum += grey;
      squares += grey * grey;
      bends += Math.abs(4 * grey - around);
      count++;
    }
  }
  const mean = sum / count;
  return bends / count / (NOISE + Math.sqrt(Math.max(0, squares / count - mean * mean)));
}

/** From a share of the picture to pixels that have neighbours on all sides. */
function insideOf(from: number, size: number, pixels: number): readonly [number, number] {
  return [Math.max(1, Math.round(from * pixels)), Math.min(pixels - 1, Math.round((from + size) * pixels))];
}

function worthOf(area: number, box: Box | null, sharpness: number): number {
  const isCut =
    box !== null &&
    (box.left < EDGE || box.top < EDGE || box.left + box.width > 1 - EDGE || box.top + box.height > 1 - EDGE);
  return area * Math.sqrt(BLUR + sharpness) * (isCut ? CUT_WORTH : 1);
}

interface Shot {
  readonly timeMs: number;
  readonly area: number;
  readonly box: Box | null;
}

/** The pictures of one event: the first at once, a few better ones while it lasts, the best at its end. */
export class PictureChoice<S extends Shot> {
  private best: S;
  private bestWorth: number;
  private sentWorth: number;
  private sentMs: number;
  private updates = 0;

  /** `first` is sent by the caller. */
  constructor(first: S, sharpness: number) {
    this.best = first;
    this.bestWorth = this.sentWorth = worthOf(first.area, first.box, sharpness);
    this.sentMs = first.timeMs;
  }

  offer(shot: S, sharpness: number): void {
    const worth = worthOf(shot.area, shot.box, sharpness);
    if (worth <= this.bestWorth) return;
    [this.best, this.bestWorth] = [shot, worth];
  }

  /** The best so far, if it is worth an update by now. */
  update(timeMs: number): S | null {
    const waitMs = FIRST_UPDATE_MS * 2 ** this.updates;
    if (this.updates >= UPDATES_MAX || timeMs - this.sentMs < waitMs || !this.isBetter()) return null;
    this.updates++;
    [this.sentWorth, this.sentMs] = [this.bestWorth, timeMs];
    return this.best;
  }

  /** The best of all; null when it, or one as good, was sent. */
  last(): S | null {
    return this.isBetter() ? this.best : null;
  }

  private isBetter(): boolean {
    return this.bestWorth >= BETTER * this.sentWorth && this.bestWorth > this.sentWorth;
  }
}

/** What to show of a picture: as much on both axes, so that it keeps its shape, with the subject in the middle where it can be. */
export function cropAround({ left, top, width, height }: Box): Box {
  const side = Math.min(1, Math.max(CROP_MIN, Math.max(width, height) / SUBJECT_SHARE));
  const from = (middle: number): number => Math.min(1 - side, Math.max(0, middle - side / 2));
  return { left: from(left + width / 2), top: from(top + height / 2), width: side, height: side };
}

/** The part of the picture that is shown, as `thumbnail.crop` says; null for all of it. */
export function cropFor(crop: 'none' | 'subject', box: Box | null): Box | null {
  return crop === 'subject' && box !== null ? cropAround(box) : null;
}

/** A box of the whole picture, in fractions of its crop. */
export function boxWithin(crop: Box, { left, top, width, height }: Box): Box {
  return {
    left: (left - crop.left) / crop.width,
    top: (top - crop.top) / crop.height,
    width: width / crop.width,
    height: height / crop.height,
  };
}
