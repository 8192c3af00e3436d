import type { Raster } from '../image.js';
import { add, forEachPixel, hash, scaleOf } from './paint.js';

/** What an infrared lamp beside the lens lights up: it is near, so it is bright, blurred and fast. */
export type NightWeather =
  /** Moths and midges at the lens, each seen for about a second at a time. */
  | { readonly kind: 'moths'; readonly count: number }
  /** Drops as long streaks; each is in one or two frames. */
  | { readonly kind: 'lit-rain'; readonly drops: number }
  /** Flakes that fall straight enough to be followed from frame to frame. */
  | { readonly kind: 'lit-snow'; readonly flakes: number };

const EXPOSURE_MS = 40;

/** Draws what is near the lens at a time since it began. */
export function drawNightWeather(raster: Raster, weather: NightWeather, sinceMs: number): void {
  switch (weather.kind) {
    case 'moths':
      for (let i = 0; i < weather.count; i++) moth(raster, i, sinceMs);
      return;
    case 'lit-rain':
      for (let i = 0; i < weather.drops; i++) drop(raster, i, sinceMs);
      return;
    case 'lit-snow':
      for (let i = 0; i < weather.flakes; i++) flake(raster, i, sinceMs);
      return;
  }
}

interface Spot {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly strength: number;
}

/** A soft streak from one place to another, as an exposure draws it. */
function streak(raster: Raster, from: Spot, toX: number, toY: number): void {
  const { radius, strength } = from;
  const length = Math.hypot(toX - from.x, toY - from.y);
  const steps = Math.max(1, Math.ceil(length / radius));
  // A thing that is smaller than a pixel is fainter there.
  const share = Math.min(1, radius / scaleOf(raster)) / Math.sqrt(steps);
  for (let step = 0; step < steps; step++) {
    const along = steps === 1 ? 0 : step / (steps - 1);
    const x = from.x + (toX - from.x) * along;
    const y = from.y + (toY - from.y) * along;
    const reach = Math.max(radius, scaleOf(raster) / 2) * 1.8;
    forEachPixel(raster, { x: x - reach, y: y - reach, width: 2 * reach, height: 2 * reach }, (px, py, fx, fy) => {
      const distance = Math.hypot(fx - x, fy - y) / Math.max(radius, scaleOf(raster) / 2);
      add(raster, px, py, strength * share * Math.exp(-distance * distance));
    });
  }
}

/** Insects come by every few seconds, each on a path of its own, and are gone in between. */
function moth(raster: Raster, i: number, sinceMs: number): void {
  const everyMs = 3400 + 1500 * hash(i, 5);
  const turn = Math.floor(sinceMs / everyMs);
  const t = (sinceMs - turn * everyMs) / 1000;
  if (t > 0.9 + 0.5 * hash(i, turn)) return;
  const placeAt = (s: number): readonly [number, number] => [
    320 + 300 * hash(i, turn + 40) + 420 * hash(i, turn + 90) * s + 46 * Math.sin(17 * s + i),
    170 + 150 * hash(i, turn + 130) + 260 * hash(i, turn + 170) * s + 38 * Math.cos(21 * s + turn),
  ];
  const [x, y] = placeAt(t);
  const [toX, toY] = placeAt(t + EXPOSURE_MS / 1000);
  const near = (hash(i, turn + 7) + 1) / 2;
  streak(raster, { x, y, radius: 4 + 9 * near, strength: 150 - 70 * near }, toX, toY);
}

/** Returns where a falling thing is, and on which of its falls: it comes in again above the picture. */
function fallOf(i: number, sinceMs: number, speed: number): { readonly y: number; readonly turn: number } {
  const way = 560;
  const fallen = (speed * sinceMs) / 1000 + way * (hash(i, 77) + 1);
  const turn = Math.floor(fallen / way);
  return { y: fallen - turn * way - 100, turn };
}

function drop(raster: Raster, i: number, sinceMs: number): void {
  const near = ((hash(i, 19) + 1) / 2) ** 2;
  const speed = 900 + 1700 * near;
  const { y, turn } = fallOf(i, sinceMs, speed);
  const x = 320 + 330 * hash(i, turn) + 0.05 * y;
  const length = (speed * EXPOSURE_MS) / 1000;
  streak(raster, { x, y, radius: 1 + 2.2 * near, strength: 90 + 80 * near }, x + 0.05 * length, y + length);
}

function flake(raster: Raster, i: number, sinceMs: number): void {
  const near = ((hash(i, 23) + 1) / 2) ** 3;
  const speed = 60 + 520 * near;
  const { y, turn } = fallOf(i, sinceMs, speed);
  const wander = (10 + 50 * near) * Math.sin(sinceMs / (900 - 500 * near) + i);
  const x = 320 + 350 * hash(i, turn) + wander;
  const length = (speed * EXPOSURE_MS) / 1000;
  streak(raster, { x, y, radius: 1.6 + 9 * near, strength: 130 - 50 * near }, x, y + length);
}
