import { BLACK, EIGHTHS, rowsOf, SHADE_UNIT, TILE, type Layout } from './layout.js';
import type { Grounds, Light } from './light.js';

/** A tile in which only the light changed is left this even by it, relative to the change; grey levels. */
const EVENNESS = 0.3;
const EVEN_FLOOR = 2;
/** … or as uneven as this many times the usual tile: noise. */
const NOISE = 2.5;
/** A tile whose shade is this far from that of the tiles around it holds something dark or bright. */
const APART = 0.12;
/** An uneven tile that is as near to them as this has their light, and an edge of it. */
const NEAR = 0.04;
/** Fewer than this many neighbours say nothing. */
const AROUND_MIN = 3;
/** How far light is carried into uneven tiles; in tiles. */
const REACH = 4;
/** What everybody sees as another light. */
const RELIT = 0.1 * SHADE_UNIT;
const SHADE_MAX = 7;

const AROUND = new Float64Array(9);

/** Numbers by tile. */
type Field = Float64Array;

/**
 * What is left of light per tile when the whole picture's is taken out, as a share of the background: clouds, a lamp's
 * cone. Light changes smoothly from tile to tile and keeps what is in them; people do neither. Uneven tiles take the
 * light from around them. Kernels interpolate, which needs a border of one tile around the picture. Returns the share of
 * tiles whose light changed since the last picture, beside that of the whole.
 */
export function shadesOf(sums: Int32Array, layout: Layout, grounds: Grounds, light: Light, shades: Int16Array): number {
  const { tilesX, tilesY } = layout;
  const tiles = tilesX * tilesY;
  const [own, slopesX, slopesY] = [new Float64Array(tiles), new Float64Array(tiles), new Float64Array(tiles)];
  for (let tile = 0; tile < tiles; tile++) {
    own[tile] = (sums[tile * 4] ?? 0) / (EIGHTHS * TILE * rowsOf(tile, layout)) / ((grounds.level[tile] ?? 0) + BLACK);
  }
  for (let tile = 0; tile < tiles; tile++) {
    slopesX[tile] = slopeAt(own, tile, tile % tilesX, tilesX, 1);
    slopesY[tile] = slopeAt(own, tile, Math.floor(tile / tilesX), tilesY, tilesX);
  }
  const even = evenOf(sums, layout, grounds, light, own, slopesX, slopesY);
  const found = carried(settled(even, slopesX, slopesY, tilesX), own, tilesX);
  let relit = 0;
  for (let y = -1; y <= tilesY; y++) {
    for (let x = -1; x <= tilesX; x++) {
      const [nearX, nearY] = [Math.max(0, Math.min(tilesX - 1, x)), Math.max(0, Math.min(tilesY - 1, y))];
      const tile = nearY * tilesX + nearX;
      const isEven = !Number.isNaN(even[tile]);
      const beyond = isEven ? (x - nearX) * (slopesX[tile] ?? 0) + (y - nearY) * (slopesY[tile] ?? 0) : 0;
      const shade = Number.isNaN(found[tile]) ? 0 : (found[tile] ?? 0);
      const at = (y + 1) * (tilesX + 2) + x + 1;
      const value = Math.round(SHADE_UNIT * Math.max(-1, Math.min(SHADE_MAX, shade + beyond)));
      if (x === nearX && y === nearY && Math.abs(value - (shades[at] ?? 0)) > RELIT) relit++;
      shades[at] = value;
    }
  }
  return relit / tiles;
}

/** Shades of the tiles that are even but for them and their slopes; NaN of the others. */
function evenOf(
  sums: Int32Array,
  layout: Layout,
  grounds: Grounds,
  light: Light,
  own: Field,
  slopesX: Field,
  slopesY: Field,
): Field {
  const unevenness = own.map((shade, tile) => {
    const ground = (grounds.level[tile] ?? 0) + BLACK;
    const rest = shade * ground;
    const square = (sums[tile * 4 + 1] ?? 0) / (EIGHTHS ** 2 * TILE * rowsOf(tile, layout));
    const variance = grounds.variance[tile] ?? 0;
    const ofTexture = shade * (shade * variance - 2 * ((grounds.covariance[tile] ?? 0) - light.gain * variance));
    const [x, y] = [(slopesX[tile] ?? 0) * ground, (slopesY[tile] ?? 0) * ground];
    return Math.sqrt(Math.max(0, square - rest * rest + ofTexture - (x * x + y * y) / 12));
  });
  const usual = unevenness.slice().sort()[own.length >> 1] ?? 0;
  const floor = Math.max(EVEN_FLOOR, NOISE * usual);
  return own.map((shade, tile) => {
    const most = floor + EVENNESS * Math.abs(shade) * ((grounds.level[tile] ?? 0) + BLACK);
    return (unevenness[tile] ?? 0) <= most ? shade : NaN;
  });
}

/** From one tile to the next: the lesser of the steps on both sides, none where they disagree (minmod, Roe 1986). */
function slopeAt(own: Field, tile: number, at: number, count: number, stride: number): number {
  const here = own[tile] ?? 0;
  const before = at === 0 ? null : here - (own[tile - stride] ?? 0);
  const after = at === count - 1 ? null : (own[tile + stride] ?? 0) - here;
  if (before === null || after === null) return before ?? after ?? 0;
  if (before * after <= 0) return 0;
  return Math.abs(before) < Math.abs(after) ? before : after;
}

/** What is too far from the tiles around it is not light. */
function settled(even: Field, slopesX: Field, slopesY: Field, tilesX: number): Field {
  return even.map((shade, tile) => {
    if (Number.isNaN(shade)) return NaN;
    const around = medianAround(even, tile, tilesX);
    const far = APART + Math.abs(slopesX[tile] ?? 0) + Math.abs(slopesY[tile] ?? 0);
    return Math.abs(shade - around) > far ? around : shade;
  });
}

/** Gives uneven tiles the light of those around them. */
function carried(found: Field, own: Field, tilesX: number): Field {
  let shades = found;
  for (let step = 0; step < REACH && shades.some(Number.isNaN); step++) {
    const before = shades;
    shades = before.map((shade, tile) => {
      if (!Number.isNaN(shade)) return shade;
      const around = medianAround(before, tile, tilesX);
      return Math.abs((own[tile] ?? 0) - around) < NEAR ? (own[tile] ?? 0) : around;
    });
  }
  return shades;
}

/** Median of a tile and the eight around it, of what is known; NaN if that is too little. */
function medianAround(shades: Field, tile: number, tilesX: number): number {
  const column = tile % tilesX;
  let count = 0;
  for (const row of [tile - tilesX, tile, tile + tilesX]) {
    for (let at = column === 0 ? row : row - 1; at <= (column === tilesX - 1 ? row : row + 1); at++) {
      const shade = shades[at] ?? NaN;
      if (Number.isNaN(shade)) continue;
      let to = count++;
      for (; to > 0 && (AROUND[to - 1] ?? 0) > shade; to--) AROUND[to] = AROUND[to - 1] ?? 0;
      AROUND[to] = shade;
    }
  }
  if (count < AROUND_MIN) return NaN;
  return ((AROUND[(count - 1) >> 1] ?? 0) + (AROUND[count >> 1] ?? 0)) / 2;
}
