import { EIGHTHS, rowsOf, TILE, type Layout } from './layout.js';

/** Tiles that suit the first guess worst hold what moves; the light is found from the others. */
const TRUSTED = 0.7;
/** Where tiles have little texture a gain cannot be told from an offset, and it is light that changed; grey levels squared. */
const PRIOR = 9;
const GAIN_MIN = 0.25;
const GAIN_MAX = 3.9;

/** Frame ≈ gain × mean + offset: exposure, gain control and dusk. */
export interface Light {
  readonly gain: number;
  readonly offset: number;
  /** Mean grey level of the picture, and of the background. */
  readonly level: number;
  readonly usual: number;
}

export interface LocalLight extends Light {
  /** Share of the picture whose light changed since the last one, beside that of the whole. */
  readonly relit: number;
}

/** Per tile the background, and how the picture goes with it; grey levels, and their squares. */
export interface Grounds {
  readonly count: Float64Array;
  readonly frame: Float64Array;
  readonly level: Float64Array;
  readonly variance: Float64Array;
  readonly covariance: Float64Array;
}

/** From what the kernels sum for each tile before anything is subtracted. */
export function groundsOf(sums: Int32Array, layout: Layout): Grounds {
  const tiles = layout.tilesX * layout.tilesY;
  const field = (): Float64Array => new Float64Array(tiles);
  const grounds = { count: field(), frame: field(), level: field(), variance: field(), covariance: field() };
  for (let tile = 0; tile < tiles; tile++) {
    const count = Math.ceil(rowsOf(tile, layout) / 2) * TILE;
    const frame = (sums[tile * 4] ?? 0) / EIGHTHS / count;
    const level = (sums[tile * 4 + 1] ?? 0) / EIGHTHS / count;
    grounds.count[tile] = count;
    grounds.frame[tile] = frame;
    grounds.level[tile] = level;
    grounds.variance[tile] = (sums[tile * 4 + 2] ?? 0) / EIGHTHS ** 2 / count - level * level;
    grounds.covariance[tile] = (sums[tile * 4 + 3] ?? 0) / EIGHTHS ** 2 / count - level * frame;
  }
  return grounds;
}

/**
 * One gain and offset for the picture: least squares, then once more without the worst tiles. The gain comes from the
 * texture within tiles alone, since a shade over half of the picture makes any gain between them.
 */
export function lightOf(grounds: Grounds): Light {
  const { frame, level } = grounds;
  const tiles = Array.from(level.keys());
  const first = leastSquares(grounds, tiles);
  const misfits = level.map((usual, tile) => Math.abs((frame[tile] ?? 0) - first.gain * usual - first.offset));
  tiles.sort((a, b) => (misfits[a] ?? 0) - (misfits[b] ?? 0));
  const trusted = leastSquares(grounds, tiles.slice(0, Math.ceil(tiles.length * TRUSTED)));
  return { ...trusted, level: first.level, usual: first.usual };
}

function leastSquares(grounds: Grounds, tiles: readonly number[]): Light {
  let [all, frames, means, variance, covariance] = [0, 0, 0, 0, 0];
  for (const tile of tiles) {
    const count = grounds.count[tile] ?? 0;
    all += count;
    frames += count * (grounds.frame[tile] ?? 0);
    means += count * (grounds.level[tile] ?? 0);
    variance += count * (grounds.variance[tile] ?? 0);
    covariance += count * (grounds.covariance[tile] ?? 0);
  }
  if (all === 0) return { gain: 1, offset: 0, level: 0, usual: 0 };
  const [level, usual] = [frames / all, means / all];
  const prior = PRIOR * all;
  const slope = (covariance + (prior * level) / Math.max(1, usual)) / (variance + prior);
  const gain = Math.min(GAIN_MAX, Math.max(GAIN_MIN, slope));
  return { gain, offset: level - gain * usual, level, usual };
}
