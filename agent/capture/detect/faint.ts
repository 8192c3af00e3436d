import { BlobFinder, type Blob } from './kernel/blobs.js';
import { EIGHTHS_PER_LEVEL, rowsOf, TILE_PIXELS, type Planes } from './kernel/layout.js';

/**
 * The average of the last half second follows the picture at this time constant. Nothing moves it by more than these grey
 * levels a frame: an insect at the lens, which is bright and gone in a frame or two, leaves no trace.
 */
const AVERAGE_MS = 500;
const STEP_MAX_LEVELS = 10;
/** Averages are compared with the background no more often. */
const CHECK_EVERY_MS = 400;
/** After a start the average is the picture, and until the second the background is the average. */
const START_MS = 2000;
const YOUNG_MS = 4000;
/** Time constants of the background of averages and of their noise. */
const FOLLOW_MS = 30_000;
const NOISE_MS = 8000;
const NOISE_YOUNG_MS = 1500;
/** Of the noise at the start, and no less than this: averages in an empty night vary by a fifth; grey levels. */
const NOISE_START_LEVELS = 1.5;
const NOISE_MIN_LEVELS = 0.15;
/** A pixel differs by more than this, and by more than this many times its noise; grey levels. */
const FLOOR_LEVELS = 2;
const NOISE_FACTOR = 5;
/** Shares of the picture. What is larger is the work of single frames. */
const AREA_MIN = 0.0007;
const AREA_MAX = 0.0042;
/** Contrast of the strongest pixel; what has more is seen in single frames. Grey levels. */
const CONTRAST_MIN_LEVELS = 4;
const CONTRAST_MAX_LEVELS = 14;
/** A patch is the same one while it shares a pixel of the box, and is neither this many times larger nor smaller. */
const GROWTH_MAX = 1.8;
/** For this many checks another patch may lie over it. */
const MISSES_MAX = 2;
/** Somebody comes: seen in this many checks and not more, and by then this far from where it was first seen, in widths of the picture, on a way this straight. */
const HITS_MIN = 6;
const HITS_MAX = 12;
const TRAVEL_MIN = 0.019;
const STRAIGHTNESS_MIN = 0.6;
/** With more patches it snows, and where the whole picture changes more from check to check the light does; grey levels. */
const PATCHES_MAX = 5;
const RESTLESS_LEVELS = 0.45;
/** Who came may stand for this long without a step; so few pixels change no more than the noise, whether they live or not. */
const HOLD_MS = 30_000;
/** The middle of who stands moves by no more, in pixels. */
const STEP_MIN_PIXELS = 1;
/** Distance of the pixels that stand for the picture. */
const SAMPLE_STEP = 7;
const BLOBS_MAX = 12;
/** Averages, background and noise are held in 1/128 of a grey level. */
const LEVEL_UNIT = 128;
const UNITS_PER_EIGHTH = LEVEL_UNIT / EIGHTHS_PER_LEVEL;

/** Somebody who is fainter than the noise of single frames lets through. */
export interface FaintSubject {
  readonly id: number;
  blob: Blob;
  readonly firstMs: number;
  readonly firstFrame: number;
  readonly startX: number;
  readonly startY: number;
  hits: number;
  misses: number;
  travel: number;
  path: number;
  /** When it last moved. */
  activeMs: number;
  /** It came from elsewhere. */
  isSomebody: boolean;
}

/** A frame, and what single frames say of it. */
export interface FaintFrame {
  readonly timeMs: number;
  readonly index: number;
  /** Gives each new patch its number. */
  readonly newId: () => number;
}

/**
 * Finds in the dark who is too faint for single frames: a man of six grey levels far away, among insects at the lens. The
 * noise of an average over half a second is a fifth of a frame's, and what flies past is not in it, so that a patch of
 * thirty pixels which comes in slowly and stays is certain within two and a half seconds.
 */
export class FaintWatch {
  private readonly planes: Planes;
  private readonly average: Int16Array;
  private readonly background: Int16Array;
  private readonly noise: Int16Array;
  private readonly before: Int16Array;
  private readonly difference: Int16Array;
  /** What the background does not follow. */
  private readonly held: Uint8Array;
  private readonly marks: Pick<Planes, 'clean' | 'active' | 'layout'>;
  private readonly finder: BlobFinder;
  private subjects: FaintSubject[] = [];
  /** Null before the first frame. */
  private firstMs: number | null = null;
  private lastMs = 0;
  private checkMs = 0;

  constructor(planes: Planes) {
    const { count } = planes.layout;
    const plane = (): Int16Array => new Int16Array(count);
    this.planes = planes;
    this.average = plane();
    this.background = plane();
    this.noise = plane();
    this.before = plane();
    this.difference = plane();
    this.held = new Uint8Array(count);
    this.marks = { clean: new Uint8Array(count), active: new Uint8Array(count), layout: planes.layout };
    this.finder = new BlobFinder(this.marks);
  }

  /** Begins again: the scene has changed, or it is not dark. */
  clear(): void {
    this.firstMs = null;
    this.subjects = [];
  }

  /** Adds a frame. Returns who is there, as of the last check. */
  inspectFrame(frame: FaintFrame): readonly FaintSubject[] {
    const { timeMs } = frame;
    if (this.firstMs === null) this.start(timeMs);
    else this.followPicture(timeMs - this.lastMs, timeMs - this.firstMs < START_MS);
    this.lastMs = timeMs;
    if (timeMs - this.checkMs >= CHECK_EVERY_MS) this.compareAverages(frame);
    return this.subjects.filter(({ isSomebody }) => isSomebody);
  }

  private start(timeMs: number): void {
    const { current } = this.planes;
    for (let i = 0; i < current.length; i++) this.average[i] = (current[i] ?? 0) * UNITS_PER_EIGHTH;
    this.background.set(this.average);
    this.noise.fill(NOISE_START_LEVELS * LEVEL_UNIT);
    this.before.fill(0);
    this.firstMs = timeMs;
    this.checkMs = timeMs;
  }

  private followPicture(elapsedMs: number, isStarting: boolean): void {
    const { average } = this;
    const { current } = this.planes;
    const share = 1 - Math.exp(-elapsedMs / AVERAGE_MS);
    const most = isStarting ? Infinity : STEP_MAX_LEVELS * LEVEL_UNIT;
    for (let i = 0; i < average.length; i++) {
      const before = average[i] ?? 0;
      const step = (current[i] ?? 0) * UNITS_PER_EIGHTH - before;
      average[i] = before + Math.round(share * Math.max(-most, Math.min(most, step)));
    }
  }

  private compareAverages(frame: FaintFrame): void {
    const { timeMs } = frame;
    const { pixels, width } = this.size;
    const isYoung = timeMs - (this.firstMs ?? timeMs) < YOUNG_MS;
    this.subtract();
    this.mark();
    const blobs = this.finder.find(AREA_MIN * pixels, BLOBS_MAX);
    const isQuiet = blobs.length <= PATCHES_MAX && this.changeAround() <= RESTLESS_LEVELS * LEVEL_UNIT && !isYoung;
    const before = this.subjects;
    this.subjects = [];
    for (const blob of blobs) {
      const known = before.find((one) => isSame(one.blob, blob) && !this.subjects.includes(one));
      const subject = known ?? startSubject(blob, frame);
      if (known !== undefined) extendSubject(known, blob, timeMs);
      if (timeMs - subject.activeMs > HOLD_MS) subject.isSomebody = false;
      else if (isQuiet && hasCome(subject, width) && this.isFaint(blob)) subject.isSomebody = true;
      this.subjects.push(subject);
    }
    const missed = before.filter((one) => !this.subjects.includes(one) && one.misses++ < MISSES_MAX);
    this.subjects.push(...missed);
    this.hold(timeMs);
    this.learn(timeMs - this.checkMs, isYoung);
    this.before.set(this.difference);
    this.checkMs = timeMs;
  }

  private get size(): { readonly pixels: number; readonly width: number } {
    const { width, height } = this.planes.layout;
    return { pixels: width * height, width };
  }

  /** Subtracts the background, and from each tile its mean difference: light changes whole tiles. */
  private subtract(): void {
    const { average, background, difference } = this;
    const { layout } = this.planes;
    const { stride, tilesX, tilesY } = layout;
    for (let tile = 0; tile < tilesX * tilesY; tile++) {
      const left = (tile % tilesX) * TILE_PIXELS;
      const top = Math.floor(tile / tilesX) * TILE_PIXELS;
      const rows = rowsOf(tile, layout);
      let sum = 0;
      for (let y = top; y < top + rows; y++) {
        for (let i = y * stride + left; i < y * stride + left + TILE_PIXELS; i++) {
          sum += (average[i] ?? 0) - (background[i] ?? 0);
        }
      }
      const mean = Math.round(sum / (rows * TILE_PIXELS));
      for (let y = top; y < top + rows; y++) {
        for (let i = y * stride + left; i < y * stride + left + TILE_PIXELS; i++) {
          difference[i] = (average[i] ?? 0) - (background[i] ?? 0) - mean;
        }
      }
    }
  }

  private mark(): void {
    const { difference, noise, marks } = this;
    const { valid } = this.planes;
    for (let i = 0; i < difference.length; i++) {
      const threshold = Math.max(FLOOR_LEVELS * LEVEL_UNIT, NOISE_FACTOR * (noise[i] ?? 0));
      marks.clean[i] = valid[i] === 1 && Math.abs(difference[i] ?? 0) > threshold ? 1 : 0;
    }
  }

  /** Mean change of unmarked pixels since the last check, in 1/128 of a grey level. */
  private changeAround(): number {
    const { difference, before, marks } = this;
    let sum = 0;
    let count = 0;
    for (let i = 0; i < difference.length; i += SAMPLE_STEP) {
      if (marks.clean[i] === 1) continue;
      sum += Math.abs((difference[i] ?? 0) - (before[i] ?? 0));
      count++;
    }
    return sum / Math.max(1, count);
  }

  private isFaint(blob: Blob): boolean {
    if (blob.area > AREA_MAX * this.size.pixels) return false;
    let most = 0;
    for (const i of this.pixelsOf(blob)) most = Math.max(most, Math.abs(this.difference[i] ?? 0));
    return most >= CONTRAST_MIN_LEVELS * LEVEL_UNIT && most <= CONTRAST_MAX_LEVELS * LEVEL_UNIT;
  }

  private hold(timeMs: number): void {
    this.held.fill(0);
    for (const { blob, activeMs } of this.subjects) {
      if (timeMs - activeMs > HOLD_MS || blob.area > AREA_MAX * this.size.pixels) continue;
      for (const i of this.pixelsOf(blob)) this.held[i] = 1;
    }
  }

  private learn(elapsedMs: number, isYoung: boolean): void {
    const { average, background, noise, difference, held } = this;
    const follow = isYoung ? 0.3 : Math.min(1, elapsedMs / FOLLOW_MS);
    const spread = Math.min(1, elapsedMs / (isYoung ? NOISE_YOUNG_MS : NOISE_MS));
    for (let i = 0; i < average.length; i++) {
      if (held[i] === 1) continue;
      const behind = (average[i] ?? 0) - (background[i] ?? 0);
      // Away from zero: rounding must not hold the background a few units off.
      background[i] = (background[i] ?? 0) + Math.sign(behind) * Math.ceil(Math.abs(behind) * follow);
      const usual = noise[i] ?? 0;
      const sample = Math.min(Math.abs(difference[i] ?? 0), 4 * usual);
      noise[i] = Math.max(NOISE_MIN_LEVELS * LEVEL_UNIT, usual + Math.round((sample - usual) * spread));
    }
  }

  private *pixelsOf({ cells }: Blob): Generator<number> {
    const { clean, layout } = this.marks;
    for (const cell of cells) {
      for (const i of [cell, cell + 1, cell + layout.stride, cell + layout.stride + 1]) if (clean[i] === 1) yield i;
    }
  }
}

function middleOf({ left, right, top, bottom }: Blob): readonly [number, number] {
  return [(left + right) / 2, (top + bottom) / 2];
}

function isSame(a: Blob, b: Blob): boolean {
  const isOver = a.left <= b.right && b.left <= a.right && a.top <= b.bottom && b.top <= a.bottom;
  return isOver && a.area < GROWTH_MAX * b.area && b.area < GROWTH_MAX * a.area;
}

function startSubject(blob: Blob, { timeMs, index, newId }: FaintFrame): FaintSubject {
  const [startX, startY] = middleOf(blob);
  const first = { id: newId(), blob, startX, startY, firstMs: timeMs, firstFrame: index, activeMs: timeMs };
  return { ...first, hits: 1, misses: 0, travel: 0, path: 0, isSomebody: false };
}

function extendSubject(subject: FaintSubject, blob: Blob, timeMs: number): void {
  const [x, y] = middleOf(blob);
  const [beforeX, beforeY] = middleOf(subject.blob);
  subject.travel = Math.max(subject.travel, Math.hypot(x - subject.startX, y - subject.startY));
  subject.path += Math.hypot(x - beforeX, y - beforeY);
  if (Math.hypot(x - beforeX, y - beforeY) > STEP_MIN_PIXELS) subject.activeMs = timeMs;
  subject.blob = blob;
  subject.hits++;
  subject.misses = 0;
}

function hasCome({ hits, travel, path }: FaintSubject, width: number): boolean {
  return hits >= HITS_MIN && hits <= HITS_MAX && travel >= TRAVEL_MIN * width && travel >= STRAIGHTNESS_MIN * path;
}
