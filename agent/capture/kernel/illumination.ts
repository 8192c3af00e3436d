import { at } from './plane.js';

const TILES_X = 10;
const TILES_Y = 6;
/** Every other pixel of every other row is enough to know the light. */
const SAMPLE = 2;
/** Tiles that fit the first guess worst hold what moves; the light is found from the others. */
const TRUSTED = 0.7;
/** With less contrast than this in the whole picture a gain cannot be told from an offset. */
const CONTRAST_MIN = 6;
const GAIN_MIN = 0.25;
const GAIN_MAX = 4;
/** A tile whose rest is this even, relative to its size, changed its light and not its content. */
const EVENNESS = 0.3;
const EVEN_FLOOR = 2;

/** Frame ≈ gain × mean + offset: exposure, gain control, clouds and dusk. */
export interface Light {
  readonly gain: number;
  readonly offset: number;
}

interface Sums {
  count: number;
  mean: number;
  frame: number;
  meanMean: number;
  meanFrame: number;
}

interface Tile {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/**
 * Fills `out` with frame − mean, minus what a change of light explains: one gain and offset for the picture, and
 * per tile an even rest (a lamp's cone). Returns the light.
 */
export function differenceWithoutLight(
  frame: Uint8Array,
  mean: Float32Array,
  width: number,
  height: number,
  out: Float32Array,
): Light {
  const tiles = tilesOf(width, height);
  const light = findLight(tiles.map((tile) => sumsOf(frame, mean, width, tile)));
  for (const tile of tiles) subtractLight(frame, mean, width, tile, light, out);
  return light;
}

function tilesOf(width: number, height: number): Tile[] {
  return Array.from({ length: TILES_X * TILES_Y }, (_, i) => {
    const x = i % TILES_X;
    const y = Math.floor(i / TILES_X);
    return {
      left: Math.floor((x * width) / TILES_X),
      right: Math.floor(((x + 1) * width) / TILES_X),
      top: Math.floor((y * height) / TILES_Y),
      bottom: Math.floor(((y + 1) * height) / TILES_Y),
    };
  });
}

function sumsOf(frame: Uint8Array, mean: Float32Array, width: number, { left, right, top, bottom }: Tile): Sums {
  const sums = { count: 0, mean: 0, frame: 0, meanMean: 0, meanFrame: 0 };
  for (let y = top; y < bottom; y += SAMPLE) {
    for (let x = left; x < right; x += SAMPLE) {
      const m = at(mean, y * width + x);
      const f = at(frame, y * width + x);
      sums.count++;
      sums.mean += m;
      sums.frame += f;
      sums.meanMean += m * m;
      sums.meanFrame += m * f;
    }
  }
  return sums;
}

/** Least squares over all tiles, then once more without those that fit worst. */
function findLight(sums: readonly Sums[]): Light {
  const first = fit(sums);
  const misfit = ({ count, mean, frame }: Sums): number =>
    count === 0 ? 0 : Math.abs(frame - first.gain * mean - first.offset * count) / count;
  const sorted = [...sums].sort((a, b) => misfit(a) - misfit(b));
  return fit(sorted.slice(0, Math.ceil(sorted.length * TRUSTED)));
}

function fit(sums: readonly Sums[]): Light {
  const all = { count: 0, mean: 0, frame: 0, meanMean: 0, meanFrame: 0 };
  for (const tile of sums) {
    all.count += tile.count;
    all.mean += tile.mean;
    all.frame += tile.frame;
    all.meanMean += tile.meanMean;
    all.meanFrame += tile.meanFrame;
  }
  if (all.count === 0) return { gain: 1, offset: 0 };
  const mean = all.mean / all.count;
  const frame = all.frame / all.count;
  const variance = all.meanMean / all.count - mean * mean;
  const covariance = all.meanFrame / all.count - mean * frame;
  const gain =
    variance < CONTRAST_MIN * CONTRAST_MIN ? 1 : Math.min(GAIN_MAX, Math.max(GAIN_MIN, covariance / variance));
  return { gain, offset: frame - gain * mean };
}

function subtractLight(
  frame: Uint8Array,
  mean: Float32Array,
  width: number,
  { left, right, top, bottom }: Tile,
  { gain, offset }: Light,
  out: Float32Array,
): void {
  let sum = 0;
  let squares = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const i = y * width + x;
      const difference = at(frame, i) - at(mean, i) * gain - offset;
      out[i] = difference;
      sum += difference;
      squares += difference * difference;
    }
  }
  const count = (right - left) * (bottom - top);
  if (count === 0) return;
  const rest = sum / count;
  const deviation = Math.sqrt(Math.max(0, squares / count - rest * rest));
  if (deviation > EVEN_FLOOR + EVENNESS * Math.abs(rest)) return;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) out[y * width + x] = at(out, y * width + x) - rest;
  }
}
