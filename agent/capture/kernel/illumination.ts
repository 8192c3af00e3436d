import { at } from './plane.js';

const TILES_X = 10;
const TILES_Y = 6;
/** A tile whose difference is this even, relative to its size, changed its light and not its content. */
const EVENNESS = 0.3;
const EVEN_FLOOR = 2;

/**
 * Fills `out` with frame − mean, minus what a change of light explains: the median gain of all tiles (exposure, clouds), and
 * per tile an even offset (a lamp's cone). Returns the gain, 1 for no change.
 */
export function differenceWithoutLight(
  frame: Uint8Array,
  mean: Float32Array,
  width: number,
  height: number,
  out: Float32Array,
): number {
  const gain = medianGain(frame, mean, width, height);
  for (let ty = 0; ty < TILES_Y; ty++) {
    const top = Math.floor((ty * height) / TILES_Y);
    const bottom = Math.floor(((ty + 1) * height) / TILES_Y);
    for (let tx = 0; tx < TILES_X; tx++) {
      const left = Math.floor((tx * width) / TILES_X);
      const right = Math.floor(((tx + 1) * width) / TILES_X);
      differenceOfTile(frame, mean, width, { left, right, top, bottom }, gain, out);
    }
  }
  return gain;
}

interface Tile {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function differenceOfTile(
  frame: Uint8Array,
  mean: Float32Array,
  width: number,
  { left, right, top, bottom }: Tile,
  gain: number,
  out: Float32Array,
): void {
  let sum = 0;
  let squares = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const i = y * width + x;
      const difference = at(frame, i) - at(mean, i) * gain;
      out[i] = difference;
      sum += difference;
      squares += difference * difference;
    }
  }
  const count = (right - left) * (bottom - top);
  if (count === 0) return;
  const offset = sum / count;
  const deviation = Math.sqrt(Math.max(0, squares / count - offset * offset));
  if (deviation > EVEN_FLOOR + EVENNESS * Math.abs(offset)) return;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) out[y * width + x] = at(out, y * width + x) - offset;
  }
}

function medianGain(frame: Uint8Array, mean: Float32Array, width: number, height: number): number {
  const gains: number[] = [];
  for (let ty = 0; ty < TILES_Y; ty++) {
    for (let tx = 0; tx < TILES_X; tx++) {
      let now = 0;
      let usual = 0;
      // Every other pixel is enough for a mean.
      for (let y = Math.floor((ty * height) / TILES_Y); y < Math.floor(((ty + 1) * height) / TILES_Y); y += 2) {
        for (let x = Math.floor((tx * width) / TILES_X); x < Math.floor(((tx + 1) * width) / TILES_X); x += 2) {
          now += at(frame, y * width + x);
          usual += at(mean, y * width + x);
        }
      }
      if (usual > 0) gains.push(now / usual);
    }
  }
  gains.sort((a, b) => a - b);
  const median = gains[gains.length >> 1] ?? 1;
  return Math.min(4, Math.max(0.25, median));
}
