import {
  SHADE_BASE_LEVEL,
  EIGHTHS_PER_LEVEL,
  rowsOf,
  SHADE_UNIT,
  TILE_PIXELS,
  type Layout,
  type Planes,
} from './layout.js';
import type { Grounds, Light } from './light.js';

/**
 * A tile in which only the light changed is even: its unevenness stays below this share of the change, plus the larger of
 * a floor in grey levels and a multiple of the usual unevenness, which is noise.
 */
const UNEVENNESS_MAX_SHARE = 0.3;
const UNEVENNESS_FLOOR = 2;
const UNEVENNESS_NOISE_FACTOR = 2.5;
/** A tile whose shade differs more from the tiles around it holds something dark or bright. */
const OUTLIER_SHADE_MIN = 0.12;
/** An uneven tile that differs less from them has their light, and keeps its own shade. */
const NEIGHBOUR_SHADE_MAX = 0.04;
/** A median of fewer tiles means nothing. */
const MEDIAN_TILES_MIN = 3;
/** How far light is carried into uneven tiles. */
const CARRY_MAX_TILES = 4;
/** A tile has another light when its shade changed by more than this since the last frame. */
const RELIT_SHADE_MIN = 0.1 * SHADE_UNIT;
const SHADE_MAX = 7;

/** Scratch space of `medianAround`. */
const SORT_BUFFER = new Float64Array(9);

/** One number for each tile. */
type Field = Float64Array;

/**
 * Computes the light of each tile that remains when the light of the whole picture is taken out, as a share of the
 * background: clouds, the cone of a lamp. Light changes smoothly from tile to tile and keeps their texture; people do
 * neither. Uneven tiles get the light of those around them. The kernels interpolate, so `shades` has a border of one tile.
 * Returns the share of tiles whose light changed since the last frame.
 */
export function shadesOf(
  planes: Pick<Planes, 'sums' | 'layout' | 'shades' | 'lastShades'>,
  grounds: Grounds,
  light: Light,
): number {
  const { sums, layout, shades, lastShades } = planes;
  const { tilesX, tilesY } = layout;
  const tiles = tilesX * tilesY;
  const own = new Float64Array(tiles);
  const slopesX = new Float64Array(tiles);
  const slopesY = new Float64Array(tiles);
  for (let tile = 0; tile < tiles; tile++) {
    own[tile] =
      (sums[tile * 4] ?? 0) /
      (EIGHTHS_PER_LEVEL * TILE_PIXELS * rowsOf(tile, layout)) /
      ((grounds.level[tile] ?? 0) + SHADE_BASE_LEVEL);
  }
  for (let tile = 0; tile < tiles; tile++) {
    slopesX[tile] = slopeAt(own, tile, { at: tile % tilesX, count: tilesX, stride: 1 });
    slopesY[tile] = slopeAt(own, tile, { at: Math.floor(tile / tilesX), count: tilesY, stride: tilesX });
  }
  const even = evenShades({ sums, layout, grounds, light, own, slopesX, slopesY });
  const found = carryLight(replaceOutliers(even, slopesX, slopesY, tilesX), own, tilesX);
  let relit = 0;
  for (let y = -1; y <= tilesY; y++) {
    for (let x = -1; x <= tilesX; x++) {
      const nearX = Math.max(0, Math.min(tilesX - 1, x));
      const nearY = Math.max(0, Math.min(tilesY - 1, y));
      const tile = nearY * tilesX + nearX;
      const isEven = !Number.isNaN(even[tile]);
      const beyond = isEven ? (x - nearX) * (slopesX[tile] ?? 0) + (y - nearY) * (slopesY[tile] ?? 0) : 0;
      const shade = Number.isNaN(found[tile]) ? 0 : (found[tile] ?? 0);
      const at = (y + 1) * (tilesX + 2) + x + 1;
      const value = Math.round(SHADE_UNIT * Math.max(-1, Math.min(SHADE_MAX, shade + beyond)));
      if (x === nearX && y === nearY && Math.abs(value - (lastShades[at] ?? 0)) > RELIT_SHADE_MIN) relit++;
      shades[at] = value;
    }
  }
  return relit / tiles;
}

interface TileShades {
  readonly sums: Int32Array;
  readonly layout: Layout;
  readonly grounds: Grounds;
  readonly light: Light;
  readonly own: Field;
  readonly slopesX: Field;
  readonly slopesY: Field;
}

/** Returns the shades of the tiles that are even apart from their shade and its slopes; NaN for the others. */
function evenShades({ sums, layout, grounds, light, own, slopesX, slopesY }: TileShades): Field {
  const unevenness = own.map((shade, tile) => {
    const ground = (grounds.level[tile] ?? 0) + SHADE_BASE_LEVEL;
    const rest = shade * ground;
    const square = (sums[tile * 4 + 1] ?? 0) / (EIGHTHS_PER_LEVEL ** 2 * TILE_PIXELS * rowsOf(tile, layout));
    const variance = grounds.variance[tile] ?? 0;
    const ofTexture = shade * (shade * variance - 2 * ((grounds.covariance[tile] ?? 0) - light.gain * variance));
    const x = (slopesX[tile] ?? 0) * ground;
    const y = (slopesY[tile] ?? 0) * ground;
    return Math.sqrt(Math.max(0, square - rest * rest + ofTexture - (x * x + y * y) / 12));
  });
  const usual = unevenness.slice().sort()[own.length >> 1] ?? 0;
  const floor = Math.max(UNEVENNESS_FLOOR, UNEVENNESS_NOISE_FACTOR * usual);
  return own.map((shade, tile) => {
    const most = floor + UNEVENNESS_MAX_SHARE * Math.abs(shade) * ((grounds.level[tile] ?? 0) + SHADE_BASE_LEVEL);
    return (unevenness[tile] ?? 0) <= most ? shade : NaN;
  });
}

/** A row or column of tiles: the place of one in it, how many there are, and the distance of neighbours. */
interface Axis {
  readonly at: number;
  readonly count: number;
  readonly stride: number;
}

/** Returns the slope at a tile: the lesser of the steps on both sides, 0 where they disagree (minmod, Roe 1986). */
function slopeAt(own: Field, tile: number, { at, count, stride }: Axis): number {
  const here = own[tile] ?? 0;
  const before = at === 0 ? null : here - (own[tile - stride] ?? 0);
  const after = at === count - 1 ? null : (own[tile + stride] ?? 0) - here;
  if (before === null || after === null) return before ?? after ?? 0;
  if (before * after <= 0) return 0;
  return Math.abs(before) < Math.abs(after) ? before : after;
}

/** Replaces a shade that is too far from the tiles around it, and so not light, by their median. */
function replaceOutliers(even: Field, slopesX: Field, slopesY: Field, tilesX: number): Field {
  return even.map((shade, tile) => {
    if (Number.isNaN(shade)) return NaN;
    const around = medianAround(even, tile, tilesX);
    const distanceMax = OUTLIER_SHADE_MIN + Math.abs(slopesX[tile] ?? 0) + Math.abs(slopesY[tile] ?? 0);
    return Math.abs(shade - around) > distanceMax ? around : shade;
  });
}

/** Gives uneven tiles the light of those around them. */
function carryLight(found: Field, own: Field, tilesX: number): Field {
  let shades = found;
  for (let step = 0; step < CARRY_MAX_TILES && shades.some(Number.isNaN); step++) {
    const before = shades;
    shades = before.map((shade, tile) => {
      if (!Number.isNaN(shade)) return shade;
      const around = medianAround(before, tile, tilesX);
      return Math.abs((own[tile] ?? 0) - around) < NEIGHBOUR_SHADE_MAX ? (own[tile] ?? 0) : around;
    });
  }
  return shades;
}

/** Returns the median of a tile and the eight around it, of those that are known; NaN if they are too few. */
function medianAround(shades: Field, tile: number, tilesX: number): number {
  const column = tile % tilesX;
  let count = 0;
  for (const row of [tile - tilesX, tile, tile + tilesX]) {
    for (let at = column === 0 ? row : row - 1; at <= (column === tilesX - 1 ? row : row + 1); at++) {
      const shade = shades[at] ?? NaN;
      if (Number.isNaN(shade)) continue;
      let to = count++;
      for (; to > 0 && (SORT_BUFFER[to - 1] ?? 0) > shade; to--) SORT_BUFFER[to] = SORT_BUFFER[to - 1] ?? 0;
      SORT_BUFFER[to] = shade;
    }
  }
  if (count < MEDIAN_TILES_MIN) return NaN;
  return ((SORT_BUFFER[(count - 1) >> 1] ?? 0) + (SORT_BUFFER[count >> 1] ?? 0)) / 2;
}
