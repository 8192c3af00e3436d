import type { Raster } from '../image.js';
import { add, cover, forEachPixel, hash, hills, lighten, type Rectangle } from './paint.js';

/** Light that moves while nothing else does, and the lens. Lengths are in pixels of the full picture. */
export type MovingLight =
  /** Clouds drift past a window; its bars stay. `speed` is in pixels a second. */
  | (Rectangle & { readonly kind: 'window-clouds'; readonly speed: number })
  /** The lights of a car that turns outside sweep over a wall, with the shadows of a fence in them. */
  | (Rectangle & { readonly kind: 'wall-sweep'; readonly strength: number })
  /** Sun through blinds: bright stripes on wall and floor that come, wander and go with the clouds; the slats tremble. */
  | (Rectangle & { readonly kind: 'blinds'; readonly strength: number })
  /** Lamps and passing cars, which are out of the picture, mirrored by a wet street. */
  | (Rectangle & { readonly kind: 'wet-street'; readonly strength: number })
  /** The picture of a lens that sees half of everything: a disc, squeezed at its rim. */
  | { readonly kind: 'fisheye' };

/** Draws one of them; `progress` is from 0 to 1. */
export function drawMovingLight(raster: Raster, light: MovingLight, sinceMs: number, progress: number): void {
  switch (light.kind) {
    case 'window-clouds': {
      windowClouds(raster, light, sinceMs);
      return;
    }
    case 'wall-sweep': {
      wallSweep(raster, light, progress);
      return;
    }
    case 'blinds': {
      blinds(raster, light, sinceMs);
      return;
    }
    case 'wet-street': {
      wetStreet(raster, light, sinceMs);
      return;
    }
    case 'fisheye': {
      fisheye(raster);
      return;
    }
  }
}

/** Panes in a window, and the width of the bars between them. */
const PANES_ACROSS = 3;
const PANES_DOWN = 2;
const BAR_PIXELS = 7;

function windowClouds(raster: Raster, window: MovingLight & { kind: 'window-clouds' }, sinceMs: number): void {
  const { x, y, width, height, speed } = window;
  const drift = (speed * sinceMs) / 1000;
  forEachPixel(raster, window, (px, py, fullX, fullY) => {
    const inPane = (place: number, length: number, panes: number): number => {
      const pane = length / panes;
      const within = place - Math.floor(place / pane) * pane;
      return Math.min(within, pane - within) - BAR_PIXELS / 2;
    };
    const share = Math.min(inPane(fullX - x, width, PANES_ACROSS), inPane(fullY - y, height, PANES_DOWN)) / 2 + 0.5;
    const cloud = hills((fullX - drift) / 62, fullY / 40 + sinceMs / 40_000);
    // White towers with blue between them: their edges are hard enough to look like those of things.
    const white = Math.max(0, Math.min(1, cloud * 4.5 + 0.4));
    cover(raster, px, py, 150 + 80 * white + 14 * cloud, share);
  });
}

function wallSweep(raster: Raster, wall: MovingLight & { kind: 'wall-sweep' }, progress: number): void {
  const { x, width, strength } = wall;
  const middle = x - 0.35 * width + 1.7 * width * progress;
  const half = width * (0.16 + 0.1 * progress);
  forEachPixel(raster, wall, (px, py, fullX, fullY) => {
    // The beam leans, and the posts of the fence throw shadows that run the other way.
    const along = fullX - middle + 0.25 * (fullY - wall.y);
    const inside = Math.min(1, Math.max(0, (half - Math.abs(along)) / 22));
    if (inside === 0) return;
    const post = Math.sin((fullX + 1.4 * middle) / 11);
    const shade = post > 0.75 ? 0.35 : 1;
    lighten(raster, px, py, 1 + strength * inside * shade);
  });
}

const SLAT_PIXELS = 11;

function blinds(raster: Raster, area: MovingLight & { kind: 'blinds' }, sinceMs: number): void {
  const t = sinceMs / 1000;
  // The sun comes out of the clouds within a second or two.
  const sun = Math.max(0, Math.min(1, 0.5 + 1.6 * Math.sin(t / 2.3)));
  const tremble = 1.6 * Math.sin(t * 5.1) * Math.max(0, Math.sin(t / 1.3)) + 0.6 * t;
  forEachPixel(raster, area, (px, py, fullX, fullY) => {
    const stripe = Math.sin((2 * Math.PI * (fullY + 0.35 * (fullX - area.x) + tremble)) / (2 * SLAT_PIXELS));
    const edge = Math.min(1, (fullX - area.x) / 14, (area.x + area.width - fullX) / 14);
    const lit = Math.max(0, Math.min(1, stripe * 2.2 + 0.3));
    lighten(raster, px, py, 1 + area.strength * sun * lit * Math.max(0, edge));
  });
}

function wetStreet(raster: Raster, street: MovingLight & { kind: 'wet-street' }, sinceMs: number): void {
  const t = sinceMs / 1000;
  const lamps = [
    { at: 0.22, width: 11, share: 0.8 + 0.1 * Math.sin(t * 7) },
    { at: 0.71, width: 15, share: Math.sin(t * 2.6) > 0 ? 0.9 : 0.15 },
    // A car goes by on the far side every few seconds: its two lights slide along.
    { at: ((t / 4.6) % 2) * 1.4 - 0.2, width: 9, share: 1 },
    { at: ((t / 4.6) % 2) * 1.4 - 0.14, width: 9, share: 1 },
    { at: 1.3 - ((t / 7.1) % 2) * 1.6, width: 10, share: 0.8 },
  ];
  forEachPixel(raster, street, (px, py, fullX, fullY) => {
    const down = (fullY - street.y) / street.height;
    const ripple = 5 * hash(Math.floor(fullY / 4), Math.floor(sinceMs / 130)) * (0.4 + down);
    let sum = 0;
    for (const { at, width, share } of lamps) {
      const aside = (fullX + ripple - street.x - at * street.width) / (width * (0.8 + 0.9 * down));
      sum += share * Math.exp(-aside * aside);
    }
    add(raster, px, py, street.strength * sum * (1 - 0.55 * down));
  });
}

/** Where each pixel of the disc comes from, by the width of the raster: −1 outside. Built once per size. */
const FISHEYE_SOURCES = new Map<number, Float32Array>();

function fisheyeSources({ width, height }: Raster): Float32Array {
  const sources = new Float32Array(width * height * 2).fill(-1);
  const radius = 0.86 * height;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const dx = (x + 0.5 - width / 2) / radius;
      const dy = (y + 0.5 - height / 2) / radius;
      const r = Math.hypot(dx, dy);
      if (r > 1) continue;
      const stretch = r === 0 ? 1 : Math.tan(r * 1.1) / (r * Math.tan(1.1));
      sources[(y * width + x) * 2] = width / 2 + dx * stretch * (width / 2);
      sources[(y * width + x) * 2 + 1] = height / 2 + dy * stretch * (height * 0.78);
    }
  }
  return sources;
}

function fisheye(raster: Raster): void {
  const { width, height, data } = raster;
  let sources = FISHEYE_SOURCES.get(width);
  if (sources === undefined) {
    sources = fisheyeSources(raster);
    FISHEYE_SOURCES.set(width, sources);
  }
  const from = data.slice();
  const read = (x: number, y: number, c: number): number =>
    from[(Math.max(0, Math.min(height - 1, y)) * width + Math.max(0, Math.min(width - 1, x))) * 3 + c] ?? 0;
  for (let i = 0; i < width * height; i++) {
    const sx = (sources[2 * i] ?? -1) - 0.5;
    const sy = (sources[2 * i + 1] ?? -1) - 0.5;
    const isOutside = (sources[2 * i] ?? -1) < 0;
    const x = Math.floor(sx);
    const y = Math.floor(sy);
    for (let c = 0; c < 3; c++) {
      const above = read(x, y, c) * (1 - (sx - x)) + read(x + 1, y, c) * (sx - x);
      const below = read(x, y + 1, c) * (1 - (sx - x)) + read(x + 1, y + 1, c) * (sx - x);
      data[3 * i + c] = isOutside ? 4 : above * (1 - (sy - y)) + below * (sy - y);
    }
  }
}
