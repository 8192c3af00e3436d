import type { Raster } from '../image.js';
import { add, cover, forEachPixel, hash, hills, type Rectangle } from './paint.js';

/** Things that move in the wind and stay where they are. Lengths are in pixels of the full picture. */
export type Swaying =
  /** Balloons on strings, tied together at (x, y); the wind begins after `calmMs`. */
  | {
      readonly kind: 'balloons';
      readonly x: number;
      readonly y: number;
      readonly size: number;
      readonly calmMs: number;
    }
  /** A cloth that hangs from its upper edge: washing, a curtain. `swing` is how far its lower edge goes. */
  | (Rectangle & Cloth & { readonly kind: 'cloth' })
  /** A flag at a pole on its left. */
  | (Rectangle & Cloth & { readonly kind: 'flag' })
  /** A jet of water with a basin under it. */
  | { readonly kind: 'fountain'; readonly x: number; readonly y: number; readonly height: number }
  /** Spots of sun under a tree: they move with its branches. */
  | (Rectangle & { readonly kind: 'dapple'; readonly strength: number });

interface Cloth {
  readonly swing: number;
  readonly periodMs: number;
  /** Grey level of the cloth, and by how much its pattern differs from it. */
  readonly level: number;
  readonly pattern: number;
  readonly calmMs: number;
}

/** Draws one of them; `sinceMs` is the time since it began. */
export function drawSwaying(raster: Raster, thing: Swaying, sinceMs: number): void {
  switch (thing.kind) {
    case 'balloons': {
      balloons(raster, thing, sinceMs);
      return;
    }
    case 'cloth': {
      cloth(raster, thing, sinceMs);
      return;
    }
    case 'flag': {
      flag(raster, thing, sinceMs);
      return;
    }
    case 'fountain': {
      fountain(raster, thing, sinceMs);
      return;
    }
    case 'dapple': {
      dapple(raster, thing, sinceMs);
      return;
    }
  }
}

/** Strength of the wind, 0 to 1: it begins after a calm, comes in gusts, and never quite ends. */
function windAt(sinceMs: number, calmMs: number): number {
  const t = (sinceMs - calmMs) / 1000;
  if (t <= 0) return 0;
  const gusts = 0.55 + 0.3 * Math.sin(t / 1.9) + 0.15 * Math.sin(t / 0.83 + 1);
  return Math.min(1, t / 1.5) * gusts;
}

const BALLOONS = [
  { along: -0.9, up: 2.6, level: 190, tint: [1.1, 1.05, 0.3] },
  { along: 0.1, up: 3.3, level: 90, tint: [1.8, 0.6, 0.6] },
  { along: 1, up: 2.4, level: 225, tint: [1, 1, 1] },
  { along: -0.2, up: 2.1, level: 140, tint: [0.5, 1, 1.5] },
] as const;

function balloons(raster: Raster, { x, y, size, calmMs }: Swaying & { kind: 'balloons' }, sinceMs: number): void {
  const wind = windAt(sinceMs, calmMs);
  for (const [i, { along, up, level, tint }] of BALLOONS.entries()) {
    const t = sinceMs / 1000;
    const lean = wind * size * (0.9 + 1.1 * Math.sin(t * 1.7 + i * 0.9) + 0.4 * Math.sin(t * 3.1 + 2 * i));
    const middleX = x + along * size + lean;
    const middleY = y - up * size + (lean * lean) / (9 * size);
    for (let step = 0; step < 24; step++) {
      const share = step / 24;
      const string = { x: x + (middleX - x) * share, y: y + (middleY + size - y) * share, width: 2, height: 3 };
      forEachPixel(raster, string, (px, py) => {
        cover(raster, px, py, 70, 0.25);
      });
    }
    const around = { x: middleX - size, y: middleY - 1.2 * size, width: 2 * size, height: 2.4 * size };
    forEachPixel(raster, around, (px, py, fullX, fullY) => {
      const dx = (fullX - middleX) / (0.85 * size);
      const dy = (fullY - middleY) / size;
      const inside = (1 - Math.hypot(dx, dy)) * size * 0.5;
      const shine = 60 * Math.exp(-((dx + 0.35) ** 2 + (dy + 0.4) ** 2) * 9) - 35 * (dx + dy);
      cover(raster, px, py, level + shine, inside, tint);
    });
  }
}

/** Grey level of a cloth's print at a place of it. */
function printAt({ level, pattern }: Cloth, across: number, down: number): number {
  return level + pattern * (hash(Math.floor(across * 5), Math.floor(down * 6)) > 0 ? 0.5 : -0.5);
}

function cloth(raster: Raster, thing: Swaying & { kind: 'cloth' }, sinceMs: number): void {
  const { x, y, width, height, swing, periodMs, calmMs } = thing;
  const wind = windAt(sinceMs, calmMs);
  const phase = (2 * Math.PI * sinceMs) / periodMs;
  const around = { x: x - swing - 4, y, width: width + 2 * swing + 8, height: height + 6 };
  forEachPixel(raster, around, (px, py, fullX, fullY) => {
    const down = (fullY - y) / height;
    const reach = swing * wind * Math.max(0, down) ** 1.4;
    const shift = reach * (0.75 * Math.sin(phase - 1.2 * down) + 0.25 * Math.sin(2.3 * phase + 3 * down));
    const across = (fullX - x - shift) / width;
    if (across < -0.1 || across > 1.1) return;
    const fold = Math.sin(across * 19 + (1.6 * wind * shift) / (swing + 1)) * (9 + 12 * wind * down);
    const inside = Math.min(across, 1 - across) * width * 0.5 + 0.5;
    const isAbove = Math.min(fullY - y, y + height + 3 * Math.sin(phase + 4 * across) * wind - fullY) * 0.5 + 0.5;
    cover(raster, px, py, printAt(thing, across, down) + fold, Math.min(inside, isAbove, 1));
  });
}

function flag(raster: Raster, thing: Swaying & { kind: 'flag' }, sinceMs: number): void {
  const { x, y, width, height, swing, periodMs, calmMs } = thing;
  const wind = windAt(sinceMs, calmMs);
  const phase = (2 * Math.PI * sinceMs) / periodMs;
  // In a lull the flag hangs down.
  const length = width * (0.45 + 0.55 * Math.sqrt(wind));
  const around = { x, y: y - swing, width, height: 1.6 * height + 2 * swing };
  forEachPixel(raster, around, (px, py, fullX, fullY) => {
    const across = (fullX - x) / length;
    if (across > 1.05) return;
    const wave = Math.sin(phase - 5 * across);
    const shift = across * (swing * wind * wave + (1 - wind) * 0.5 * height);
    const down = (fullY - y - shift) / height;
    const inside = Math.min(down, 1 - down) * height * 0.5 + 0.5;
    const end = (1 - across) * length * 0.5 + 0.5;
    const shade = 22 * wind * Math.cos(phase - 5 * across) * across;
    const stripe = down < 1 / 3 ? 0.5 : down < 2 / 3 ? 0 : -0.5;
    const tint = down < 1 / 3 ? [1, 1, 1] : [1.5, 0.8, 0.7];
    cover(raster, px, py, thing.level + thing.pattern * stripe + shade, Math.min(inside, end, 1), tint);
  });
}

const DROPS = 150;
const DROP_FLIGHT_MS = 1100;

function fountain(raster: Raster, { x, y, height }: Swaying & { kind: 'fountain' }, sinceMs: number): void {
  // The pump is not even, and wind takes the top.
  const top = height * (1 + 0.1 * Math.sin(sinceMs / 730) + 0.05 * Math.sin(sinceMs / 210));
  const drift = 0.08 * height * Math.sin(sinceMs / 1600);
  const basin = { x: x - 0.9 * height, y: y - 6, width: 1.8 * height, height: 0.24 * height };
  forEachPixel(raster, basin, (px, py, fullX, fullY) => {
    const distance = Math.hypot((fullX - x) / (0.9 * height), (fullY - y - 0.08 * height) / (0.13 * height));
    if (distance > 1) return;
    cover(raster, px, py, 120 + 26 * Math.sin(distance * 22 - sinceMs / 160) * (1 - 0.6 * distance), 0.85);
  });
  for (let i = 0; i < DROPS; i++) {
    const born = sinceMs / DROP_FLIGHT_MS + (hash(i, 3) + 1) / 2;
    const flight = born - Math.floor(born);
    const throwIndex = Math.floor(born);
    const aside = 0.75 * height * hash(i, 11 + throwIndex);
    const up = top * (0.75 + 0.25 * hash(i, 29 + throwIndex));
    const dropX = x + aside * flight + drift * flight;
    const dropY = y - 4 * up * flight * (1 - flight);
    const size = 2 + 4 * flight;
    forEachPixel(raster, { x: dropX, y: dropY, width: size, height: size * 1.6 }, (px, py) => {
      cover(raster, px, py, 225, 0.45);
    });
  }
  const column = { x: x - 5, y: y - 0.85 * top, width: 10, height: 0.85 * top };
  forEachPixel(raster, column, (px, py, fullX, fullY) => {
    const share = 0.6 - Math.abs(fullX - x) / 14;
    add(raster, px, py, 90 * share * (0.8 + 0.2 * hash(Math.floor(fullY / 6), Math.floor(sinceMs / 60))));
  });
}

function dapple(raster: Raster, { strength, ...around }: Swaying & { kind: 'dapple' }, sinceMs: number): void {
  const t = sinceMs / 1000;
  const gust = 0.5 + 0.5 * Math.sin(t / 1.7);
  const shiftX = 13 * gust * Math.sin(t * 2.1);
  const shiftY = 6 * gust * Math.sin(t * 2.9 + 1);
  forEachPixel(raster, around, (px, py, fullX, fullY) => {
    const edge = Math.min(fullX - around.x, around.x + around.width - fullX, 40) / 40;
    const spot = hills((fullX + shiftX) / 34, (fullY + shiftY) / 17);
    const lit = Math.max(0, Math.min(1, (spot - 0.02) * 3.5));
    const at = (py * raster.width + px) * 3;
    for (let c = at; c < at + 3; c++) {
      raster.data[c] = Math.min(255, (raster.data[c] ?? 0) * (1 + strength * lit * edge));
    }
  });
}
