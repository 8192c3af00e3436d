import { EIGHTHS_PER_LEVEL, rowsOf, TILE_PIXELS, type Layout } from './layout.js';

/** The tiles that fit the first estimate worst hold what moves; the second uses this share of the tiles. */
const TRUSTED_TILES_SHARE = 0.7;
/** Weight of the assumption that the level changed by gain alone, for tiles with little texture; grey levels squared. */
const GAIN_PRIOR_VARIANCE = 9;
const GAIN_MIN = 0.25;
const GAIN_MAX = 3.9;

/** Frame ≈ gain × background + offset: exposure, gain control and dusk. */
export interface Light {
  readonly gain: number;
  readonly offset: number;
  /** Mean grey level of the picture, and of the background. */
  readonly level: number;
  readonly usual: number;
}

export interface LocalLight extends Light {
  /** Share of the tiles whose light changed since the last frame, apart from that of the whole picture. */
  readonly relit: number;
}

/** Per tile: pixels summed, mean of picture and background, variance and covariance; in grey levels and their squares. */
export interface Grounds {
  readonly count: Float64Array;
  readonly frame: Float64Array;
  readonly level: Float64Array;
  readonly variance: Float64Array;
  readonly covariance: Float64Array;
}

/** Computes the grounds from the sums of `sumTiles`, before `subtract` overwrites them. */
export function groundsOf(sums: Int32Array, layout: Layout): Grounds {
  const tiles = layout.tilesX * layout.tilesY;
  const field = (): Float64Array => new Float64Array(tiles);
  const grounds = { count: field(), frame: field(), level: field(), variance: field(), covariance: field() };
  for (let tile = 0; tile < tiles; tile++) {
    const count = Math.ceil(rowsOf(tile, layout) / 2) * TILE_PIXELS;
    const frame = (sums[tile * 4] ?? 0) / EIGHTHS_PER_LEVEL / count;
    const level = (sums[tile * 4 + 1] ?? 0) / EIGHTHS_PER_LEVEL / count;
    grounds.count[tile] = count;
    grounds.frame[tile] = frame;
    grounds.level[tile] = level;
    grounds.variance[tile] = (sums[tile * 4 + 2] ?? 0) / EIGHTHS_PER_LEVEL ** 2 / count - level * level;
    grounds.covariance[tile] = (sums[tile * 4 + 3] ?? 0) / EIGHTHS_PER_LEVEL ** 2 / count - level * frame;
  }
  return grounds;
}

/**
 * Returns one gain and offset for the picture: least squares, then once more without the worst tiles. The gain comes from
 * the texture within tiles alone, since a shade over half of the picture would fake any gain between tiles.
 */
export function lightOf(grounds: Grounds): Light {
  const { frame, level } = grounds;
  const all = Array.from(level.keys());
  const whole = leastSquares(grounds, all);
  const tiles = shownTiles(grounds, all);
  const first = tiles === all ? whole : leastSquares(grounds, tiles);
  const misfits = level.map((before, tile) => Math.abs((frame[tile] ?? 0) - first.gain * before - first.offset));
  tiles.sort((a, b) => (misfits[a] ?? 0) - (misfits[b] ?? 0));
  const trusted = leastSquares(grounds, tiles.slice(0, Math.ceil(tiles.length * TRUSTED_TILES_SHARE)));
  return { ...trusted, level: whole.level, usual: whole.usual };
}

/**
 * Returns the tiles that show the background in some light; all of them where that is less than half. A face that covers a
 * third of the texture would lower the gain by a third, and so mark the rest of the picture.
 */
function shownTiles({ variance, covariance }: Grounds, all: number[]): number[] {
  const shown = all.filter((tile) => (covariance[tile] ?? 0) >= GAIN_MIN * (variance[tile] ?? 0));
  return 2 * shown.length < all.length || shown.length === all.length ? all : shown;
}

/** Fits gain and offset over these tiles. */
function leastSquares(grounds: Grounds, tiles: readonly number[]): Light {
  let all = 0;
  let frames = 0;
  let means = 0;
  let variance = 0;
  let covariance = 0;
  for (const tile of tiles) {
    const count = grounds.count[tile] ?? 0;
    all += count;
    frames += count * (grounds.frame[tile] ?? 0);
    means += count * (grounds.level[tile] ?? 0);
    variance += count * (grounds.variance[tile] ?? 0);
    covariance += count * (grounds.covariance[tile] ?? 0);
  }
  if (all === 0) return { gain: 1, offset: 0, level: 0, usual: 0 };
  const level = frames / all;
  const usual = means / all;
  const prior = GAIN_PRIOR_VARIANCE * all;
  const slope = (covariance + (prior * level) / Math.max(1, usual)) / (variance + prior);
  const gain = Math.min(GAIN_MAX, Math.max(GAIN_MIN, slope));
  return { gain, offset: level - gain * usual, level, usual };
}
