import type { Raster } from '../image.js';

/** Returns the full-size pixels per pixel of this raster. */
export function scaleOf(raster: Raster): number {
  return 640 / raster.width;
}

export function add(raster: Raster, x: number, y: number, value: number): void {
  if (x < 0 || y < 0 || x >= raster.width || y >= raster.height) return;
  const at = (y * raster.width + x) * 3;
  for (let c = at; c < at + 3; c++) raster.data[c] = Math.max(0, Math.min(255, (raster.data[c] ?? 0) + value));
}

export function dim({ data }: Raster, factor: number): void {
  for (let i = 0; i < data.length; i++) data[i] = Math.min(255, (data[i] ?? 0) * factor);
}

/** Returns a number from −1 to 1 that depends on the place alone. */
export function hash(x: number, y: number): number {
  const mixed = Math.imul(Math.imul(x | 0, 374_761_393) + Math.imul(y | 0, 668_265_263), 1_274_126_177);
  return ((mixed ^ (mixed >>> 15)) & 0xffff) / 32_768 - 1;
}

interface Glow {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** Grey levels added in its middle. */
  readonly strength: number;
}

/** Adds a round light with a soft edge. */
export function glow(raster: Raster, { x, y, radius, strength }: Glow): void {
  const scale = scaleOf(raster);
  for (let py = Math.floor((y - 2 * radius) / scale); py < (y + 2 * radius) / scale; py++) {
    for (let px = Math.floor((x - 2 * radius) / scale); px < (x + 2 * radius) / scale; px++) {
      const distance = Math.hypot(px * scale - x, py * scale - y) / radius;
      add(raster, px, py, strength * Math.exp(-distance * distance));
    }
  }
}

/** Moves the picture right and down by pixels of the full picture; the edge pixels are repeated. */
export function shift({ width, height, data }: Raster, byX: number, byY: number): void {
  const scale = 640 / width;
  const from = data.slice();
  const moveX = byX / scale;
  const moveY = byY / scale;
  const wholeX = Math.floor(moveX);
  const wholeY = Math.floor(moveY);
  const partX = moveX - wholeX;
  const partY = moveY - wholeY;
  const read = (x: number, y: number, c: number): number =>
    from[(Math.max(0, Math.min(height - 1, y)) * width + Math.max(0, Math.min(width - 1, x))) * 3 + c] ?? 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sx = x - wholeX;
      const sy = y - wholeY;
      for (let c = 0; c < 3; c++) {
        const near = read(sx, sy, c) * (1 - partX) + read(sx - 1, sy, c) * partX;
        const above = read(sx, sy - 1, c) * (1 - partX) + read(sx - 1, sy - 1, c) * partX;
        data[(y * width + x) * 3 + c] = near * (1 - partY) + above * partY;
      }
    }
  }
}

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Fills a rectangle, in pixels of the full picture, with one grey level. */
export function fillRectangle(raster: Raster, { x, y, width, height }: Rectangle, value: number): void {
  const scale = scaleOf(raster);
  for (let py = Math.round(y / scale); py < Math.round((y + height) / scale); py++) {
    const row = py * raster.width * 3;
    raster.data.fill(value, row + Math.round(x / scale) * 3, row + Math.round((x + width) / scale) * 3);
  }
}

/** Multiplies a pixel: light that falls on a thing keeps its texture. */
export function lighten(raster: Raster, x: number, y: number, factor: number): void {
  if (x < 0 || y < 0 || x >= raster.width || y >= raster.height) return;
  const at = (y * raster.width + x) * 3;
  for (let c = at; c < at + 3; c++) raster.data[c] = Math.min(255, (raster.data[c] ?? 0) * factor);
}

const GREY: readonly number[] = [1, 1, 1];

/** Covers a pixel with a grey level, or with a colour, `tint` times it; `share` is from 0 to 1. */
export function cover(raster: Raster, x: number, y: number, level: number, share: number, tint = GREY): void {
  if (share <= 0 || x < 0 || y < 0 || x >= raster.width || y >= raster.height) return;
  const part = Math.min(1, share);
  const at = (y * raster.width + x) * 3;
  for (let c = 0; c < 3; c++) {
    const value = (raster.data[at + c] ?? 0) * (1 - part) + level * (tint[c] ?? 1) * part;
    raster.data[at + c] = Math.max(0, Math.min(255, value));
  }
}

/** Calls `paint` for each pixel of a rectangle of the full picture, with its place there. */
export function forEachPixel(
  raster: Raster,
  { x, y, width, height }: Rectangle,
  paint: (px: number, py: number, fullX: number, fullY: number) => void,
): void {
  const scale = scaleOf(raster);
  const right = Math.min(raster.width, Math.ceil((x + width) / scale));
  const bottom = Math.min(raster.height, Math.ceil((y + height) / scale));
  for (let py = Math.max(0, Math.floor(y / scale)); py < bottom; py++) {
    for (let px = Math.max(0, Math.floor(x / scale)); px < right; px++) {
      paint(px, py, (px + 0.5) * scale, (py + 0.5) * scale);
    }
  }
}

/** Returns a smooth random surface from −1 to 1 with hills about one unit apart, and finer ones on them. */
export function hills(x: number, y: number): number {
  return (smoothHash(x, y) * 4 + smoothHash(x * 2.1 + 17, y * 2.1) * 2 + smoothHash(x * 4.3, y * 4.3 + 31)) / 7;
}

function smoothHash(x: number, y: number): number {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const ease = (share: number): number => share * share * (3 - 2 * share);
  const across = ease(x - left);
  const above = hash(left, top) * (1 - across) + hash(left + 1, top) * across;
  const below = hash(left, top + 1) * (1 - across) + hash(left + 1, top + 1) * across;
  const down = ease(y - top);
  return above * (1 - down) + below * down;
}
