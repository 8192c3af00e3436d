import { EIGHTHS, TILE, type Layout } from './layout.js';

/** Tiles that suit the first guess worst hold what moves; the light is found from the others. */
const TRUSTED = 0.7;
/** With less contrast than this in the whole picture a gain cannot be told from an offset; grey levels. */
const CONTRAST_MIN = 6;
const GAIN_MIN = 0.25;
const GAIN_MAX = 3.9;
/** A tile whose rest is this even, relative to its size, changed its light and not its content. */
const EVENNESS = 0.3;
const EVEN_FLOOR = 2;

/** Frame ≈ gain × mean + offset: exposure, gain control, clouds and dusk. */
export interface Light {
  readonly gain: number;
  readonly offset: number;
  /** Mean grey level of the picture, and of the background. */
  readonly level: number;
  readonly usual: number;
}

interface Sums {
  readonly count: number;
  readonly frame: number;
  readonly mean: number;
  readonly meanMean: number;
  readonly meanFrame: number;
}

/** One gain and offset for the picture, from the kernels' sums: least squares, then once more without the worst tiles. */
export function lightOf(sums: Int32Array, layout: Layout): Light {
  const tiles: Sums[] = [];
  for (let tile = 0; tile < layout.tilesX * layout.tilesY; tile++) {
    const rows = Math.ceil(rowsOf(tile, layout) / 2);
    tiles.push({
      count: rows * TILE,
      frame: (sums[tile * 4] ?? 0) / EIGHTHS,
      mean: (sums[tile * 4 + 1] ?? 0) / EIGHTHS,
      meanMean: (sums[tile * 4 + 2] ?? 0) / (EIGHTHS * EIGHTHS),
      meanFrame: (sums[tile * 4 + 3] ?? 0) / (EIGHTHS * EIGHTHS),
    });
  }
  const first = leastSquares(tiles);
  const misfit = ({ count, mean, frame }: Sums): number =>
    Math.abs(frame - first.gain * mean - first.offset * count) / count;
  const sorted = tiles.map((sum) => ({ sum, misfit: misfit(sum) })).sort((a, b) => a.misfit - b.misfit);
  const trusted = leastSquares(sorted.slice(0, Math.ceil(sorted.length * TRUSTED)).map(({ sum }) => sum));
  return { ...trusted, level: first.level, usual: first.usual };
}

function leastSquares(tiles: readonly Sums[]): Light {
  const all = { count: 0, mean: 0, frame: 0, meanMean: 0, meanFrame: 0 };
  for (const tile of tiles) {
    all.count += tile.count;
    all.mean += tile.mean;
    all.frame += tile.frame;
    all.meanMean += tile.meanMean;
    all.meanFrame += tile.meanFrame;
  }
  if (all.count === 0) return { gain: 1, offset: 0, level: 0, usual: 0 };
  const mean = all.mean / all.count;
  const frame = all.frame / all.count;
  const variance = all.meanMean / all.count - mean * mean;
  const covariance = all.meanFrame / all.count - mean * frame;
  const gain =
    variance < CONTRAST_MIN * CONTRAST_MIN ? 1 : Math.min(GAIN_MAX, Math.max(GAIN_MIN, covariance / variance));
  return { gain, offset: frame - gain * mean, level: frame, usual: mean };
}

/** Per tile what is left when the whole picture's light is taken out, where that is even: a lamp's cone, a shade. */
export function restsOf(sums: Int32Array, layout: Layout, rests: Int16Array): void {
  for (let tile = 0; tile < rests.length; tile++) {
    const count = rowsOf(tile, layout) * TILE;
    const rest = (sums[tile * 4] ?? 0) / count;
    const deviation = Math.sqrt(Math.max(0, (sums[tile * 4 + 1] ?? 0) / count - rest * rest));
    const isEven = deviation <= EVEN_FLOOR * EIGHTHS + EVENNESS * Math.abs(rest);
    rests[tile] = isEven ? Math.round(rest) : 0;
  }
}

function rowsOf(tile: number, { tilesX, height }: Layout): number {
  return Math.min(TILE, height - Math.floor(tile / tilesX) * TILE);
}
