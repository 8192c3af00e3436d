import type { Random } from '../../common/random.js';
import type { Raster } from '../image.js';
import { drawMovingLight, type MovingLight } from './moving-light.js';
import { drawNightWeather, type NightWeather } from './night-weather.js';
import { add, dim, fillRectangle, glow, hash, scaleOf, shift } from './paint.js';
import { drawSwaying, type Swaying } from './sway.js';

/** Weather, light and tampering between scene and sensor. Lengths are in pixels of the full picture, which is 640 wide. */
export type Effect =
  /** Foliage in wind: a round crown of leaves around (x, y). */
  | { readonly kind: 'leaves'; readonly x: number; readonly y: number; readonly radius: number }
  | { readonly kind: 'rain'; readonly drops: number }
  | { readonly kind: 'snow'; readonly flakes: number }
  /** A small, near, blurred thing that flies through the picture. */
  | { readonly kind: 'insect' }
  /** A thread in front of the lens that sways and glints. */
  | { readonly kind: 'web' }
  /** A soft pool of light that sweeps across. */
  | { readonly kind: 'headlights' }
  /** The light falls to the share `least` within a second, and returns as fast at the end. */
  | { readonly kind: 'cloud'; readonly least: number }
  /** The light rises evenly from the share `from` to all of it. */
  | { readonly kind: 'sunrise'; readonly from: number }
  /** The gain of the camera swings up and down. */
  | { readonly kind: 'gain'; readonly swing: number }
  /** The pole of the camera sways: the picture moves by up to `pixels`. */
  | { readonly kind: 'shake'; readonly pixels: number }
  /** A clock in the corner that counts seconds. */
  | { readonly kind: 'clock' }
  | { readonly kind: 'cover' }
  | { readonly kind: 'defocus' }
  /** The camera is turned to another view. */
  | { readonly kind: 'turn' }
  | Swaying
  | NightWeather
  | MovingLight;

export interface Applied {
  readonly effect: Effect;
  /** Since it began. */
  readonly sinceMs: number;
  /** 0 to 1. */
  readonly progress: number;
}

/** Effects that lie behind people; all others are drawn over them. */
export const BEHIND_PEOPLE: readonly Effect['kind'][] = [
  'leaves',
  'balloons',
  'cloth',
  'flag',
  'fountain',
  'dapple',
  'window-clouds',
  'wall-sweep',
  'blinds',
  'wet-street',
];

/** Applies an effect to a picture in place; `random` is seeded for each frame. */
export function apply({ effect, sinceMs, progress }: Applied, raster: Raster, random: Random): void {
  switch (effect.kind) {
    case 'leaves': {
      leaves(raster, effect, sinceMs);
      return;
    }
    case 'rain':
      for (let i = 0; i < effect.drops; i++) drop(raster, random);
      return;
    case 'snow':
      for (let i = 0; i < effect.flakes; i++) flake(raster, random);
      return;
    case 'insect': {
      insect(raster, sinceMs);
      return;
    }
    case 'web': {
      web(raster, sinceMs, random);
      return;
    }
    case 'headlights': {
      glow(raster, { x: progress * 800 - 80, y: 240, radius: 110, strength: 80 });
      return;
    }
    case 'cloud': {
      const leftMs = progress === 0 ? Infinity : sinceMs / progress - sinceMs;
      dim(raster, 1 - (1 - effect.least) * Math.min(1, sinceMs / 1000, leftMs / 1000));
      return;
    }
    case 'sunrise': {
      dim(raster, effect.from + (1 - effect.from) * progress);
      return;
    }
    case 'gain': {
      dim(raster, 1 + effect.swing * Math.sin(sinceMs / 400));
      return;
    }
    case 'shake': {
      const sway = (speed: number): number => effect.pixels * Math.sin(sinceMs / speed) * Math.cos(sinceMs / 290);
      shift(raster, sway(170), sway(230));
      return;
    }
    case 'clock': {
      clock(raster, Math.floor(sinceMs / 1000));
      return;
    }
    case 'cover': {
      dim(raster, 0.04);
      return;
    }
    case 'defocus': {
      defocus(raster);
      return;
    }
    case 'turn': {
      shift(raster, 290, 60);
      return;
    }
    case 'balloons':
    case 'cloth':
    case 'flag':
    case 'fountain':
    case 'dapple': {
      drawSwaying(raster, effect, sinceMs);
      return;
    }
    case 'moths':
    case 'lit-rain':
    case 'lit-snow': {
      drawNightWeather(raster, effect, sinceMs);
      return;
    }
    case 'window-clouds':
    case 'wall-sweep':
    case 'blinds':
    case 'wet-street':
    case 'fisheye': {
      drawMovingLight(raster, effect, sinceMs, progress);
      return;
    }
  }
}

function leaves(raster: Raster, { x, y, radius }: Effect & { kind: 'leaves' }, sinceMs: number): void {
  const scale = scaleOf(raster);
  const gust = 0.5 + 0.5 * Math.sin(sinceMs / 1900);
  for (let py = Math.floor((y - radius) / scale); py < (y + radius) / scale; py++) {
    for (let px = Math.floor((x - radius) / scale); px < (x + radius) / scale; px++) {
      const fx = px * scale;
      const fy = py * scale;
      if (Math.hypot(fx - x, fy - y) > radius) continue;
      const phase = hash(fx >> 5, fy >> 5) * 6;
      const dx = 11 * gust * Math.sin(sinceMs / 260 + phase);
      const dy = 6 * gust * Math.cos(sinceMs / 340 + phase);
      add(raster, px, py, 38 * hash(Math.floor((fx + dx) / 9), Math.floor((fy + dy) / 9)));
    }
  }
}

function drop(raster: Raster, random: Random): void {
  const scale = scaleOf(raster);
  const x = Math.floor(random.uniform() * raster.width);
  const top = Math.floor(random.uniform() * raster.height);
  const length = Math.round((8 + Math.floor(random.uniform() * 14)) / scale);
  // Thinner than a pixel of a small picture, so it is fainter there.
  for (let y = top; y < top + Math.max(1, length); y++) add(raster, x, y, 45 / scale);
}

function flake(raster: Raster, random: Random): void {
  const scale = scaleOf(raster);
  const x = Math.floor(random.uniform() * raster.width);
  const y = Math.floor(random.uniform() * raster.height);
  // Most are far away; a few pass close to the lens.
  const radius = (random.uniform() < 0.04 ? 9 : 3) / scale;
  const reach = Math.ceil(radius);
  const share = Math.min(1, radius * radius * 2);
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) if (Math.hypot(dx, dy) <= radius) add(raster, x + dx, y + dy, 90 * share);
  }
}

function insect(raster: Raster, sinceMs: number): void {
  const t = sinceMs / 1000;
  const x = 320 + 260 * Math.sin(2.1 * t) + 60 * Math.sin(13 * t);
  const y = 180 + 130 * Math.cos(3.3 * t) + 40 * Math.cos(17 * t);
  glow(raster, { x, y, radius: 22, strength: 120 });
}

function web(raster: Raster, sinceMs: number, random: Random): void {
  const scale = scaleOf(raster);
  const bend = 16 * Math.sin(sinceMs / 520);
  const glint = 30 + 25 * Math.sin(sinceMs / 900) + 6 * random.uniform();
  for (let py = 0; py < raster.height; py++) {
    const share = py / raster.height;
    const x = Math.round((430 - 300 * share + bend * Math.sin(share * Math.PI)) / scale);
    for (let dx = -1; dx <= 1; dx++) add(raster, x + dx, py, glint * (dx === 0 ? 1 : 0.5));
  }
}

/** Bits of the lit segments of each digit of a seven-segment clock. */
const SEGMENTS = [0x77, 0x24, 0x5d, 0x6d, 0x2e, 0x6b, 0x7b, 0x25, 0x7f, 0x6f];
/** x, y, width and height of each segment in a cell of 10×20 pixels. */
const SEGMENT_BARS = [
  [0, 0, 10, 3],
  [0, 0, 3, 10],
  [7, 0, 3, 10],
  [0, 9, 10, 3],
  [0, 10, 3, 10],
  [7, 10, 3, 10],
  [0, 17, 10, 3],
] as const;

function clock(raster: Raster, seconds: number): void {
  const minutes = Math.floor(seconds / 60);
  const rest = seconds % 60;
  const digits = [minutes / 10, minutes % 10, rest / 10, rest % 10].map(Math.floor);
  fillRectangle(raster, { x: 8, y: 8, width: 68, height: 28 }, 0);
  for (const [i, digit] of digits.entries()) {
    const lit = SEGMENTS[digit] ?? 0;
    for (const [bit, [x = 0, y = 0, w = 0, h = 0]] of SEGMENT_BARS.entries()) {
      if ((lit >> bit) & 1) fillRectangle(raster, { x: 12 + i * 15 + x, y: 12 + y, width: w, height: h }, 255);
    }
  }
}

/** Blurs with three box filters whose radius is a fortieth of the width. */
function defocus({ width, height, data }: Raster): void {
  const radius = Math.max(2, Math.round(width / 40));
  for (let pass = 0; pass < 3; pass++) {
    blurLines(data, { line: width * 3, lines: height, step: 3, length: width }, radius);
    blurLines(data, { line: 3, lines: width, step: width * 3, length: height }, radius);
  }
}

interface LineLayout {
  /** Bytes from one line to the next. */
  readonly line: number;
  readonly lines: number;
  /** Bytes from one pixel of a line to the next. */
  readonly step: number;
  /** Pixels of a line. */
  readonly length: number;
}

/** Replaces each pixel by the mean of the pixels within `radius` on its line. */
function blurLines(data: Uint8Array, { line, lines, step, length }: LineLayout, radius: number): void {
  const from = new Uint8Array(length);
  for (let k = 0; k < lines; k++) {
    for (let c = 0; c < 3; c++) {
      const start = k * line + c;
      for (let i = 0; i < length; i++) from[i] = data[start + i * step] ?? 0;
      let sum = 0;
      for (let i = -radius; i <= radius; i++) sum += from[Math.max(0, i)] ?? 0;
      for (let i = 0; i < length; i++) {
        data[start + i * step] = sum / (2 * radius + 1);
        sum += (from[Math.min(length - 1, i + radius + 1)] ?? 0) - (from[Math.max(0, i - radius)] ?? 0);
      }
    }
  }
}
