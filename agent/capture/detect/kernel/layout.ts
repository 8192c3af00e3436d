/** Side of a tile in pixels; the stride of all planes is a multiple of it. */
export const TILE_PIXELS = 16;
/** Grey levels are held as eighths in `current` and `difference`, as 1/128 in `mean` and `deviation`. */
export const EIGHTHS_PER_LEVEL = 8;
/** Shades are in 1/2048 of the background plus this many grey levels, because light also falls on black things. */
export const SHADE_UNIT = 2048;
export const SHADE_BASE_LEVEL = 16;
/** Values of the plane `learning`: how a pixel of the background follows the picture. */
export const LEARNING_MODE = { background: 0, unknown: 1, object: 2, copy: 3 } as const;

/** Rows of room around each plane, so that neighbours of its first and last row can be read. */
const GUARD_ROWS = 2;

/**
 * Where the planes lie in one memory that plain code and WebAssembly share. Offsets are in bytes. `last`, `mean`,
 * `deviation`, `flicker`, `range`, `marked`, `lastShades`, `floors` and `edges` are kept from frame to frame; the others are scratch.
 */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly stride: number;
  /** Pixels of a plane, padding included. */
  readonly count: number;
  readonly tilesX: number;
  readonly tilesY: number;
  readonly sourcePixels: number;
  readonly source: number;
  readonly raw: number;
  readonly current: number;
  readonly last: number;
  readonly mean: number;
  readonly deviation: number;
  readonly flicker: number;
  readonly range: number;
  readonly difference: number;
  readonly valid: number;
  readonly mask: number;
  readonly marked: number;
  readonly clean: number;
  readonly active: number;
  readonly learning: number;
  readonly sums: number;
  /** One for each tile, with a border of one around them. */
  readonly shades: number;
  readonly lastShades: number;
  /** Least difference that counts, one for each tile, in eighths of a grey level. */
  readonly floors: number;
  /** Share of the local contrast by which the threshold rises, one for each tile, in 1/32768. */
  readonly edges: number;
  /** The shades of one row of pixels, one for each tile and one on either side. */
  readonly rowShades: number;
  readonly bytes: number;
}

/** Lays planes out one after the other from byte `from` on; `sourcePixels` is 0 where pictures are small already. */
export function layoutOf(width: number, height: number, sourcePixels: number, from: number): Layout {
  const tilesX = Math.ceil(width / TILE_PIXELS);
  const tilesY = Math.ceil(height / TILE_PIXELS);
  const stride = tilesX * TILE_PIXELS;
  const count = stride * height;
  let next = from;
  const plane = (bytesPerPixel: number): number => {
    const guard = GUARD_ROWS * stride * bytesPerPixel;
    const at = next + guard;
    next = at + count * bytesPerPixel + guard;
    return at;
  };
  const table = (bytes: number): number => {
    const at = next;
    next += Math.ceil(bytes / 16) * 16;
    return at;
  };
  return {
    width,
    height,
    stride,
    count,
    tilesX,
    tilesY,
    sourcePixels,
    source: table(sourcePixels),
    raw: plane(1),
    current: plane(2),
    last: plane(2),
    mean: plane(2),
    deviation: plane(2),
    flicker: plane(2),
    range: plane(2),
    difference: plane(2),
    valid: plane(1),
    mask: plane(1),
    marked: plane(1),
    clean: plane(1),
    active: plane(1),
    learning: plane(1),
    sums: table(tilesX * tilesY * 16),
    shades: table((tilesX + 2) * (tilesY + 2) * 2),
    lastShades: table((tilesX + 2) * (tilesY + 2) * 2),
    floors: table(tilesX * tilesY * 2),
    edges: table(tilesX * tilesY * 2),
    rowShades: table((tilesX + 2) * 2),
    bytes: next,
  };
}

/** Returns the rows of pixels in a tile; the bottom tiles may be cut. */
export function rowsOf(tile: number, { tilesX, height }: Layout): number {
  return Math.min(TILE_PIXELS, height - Math.floor(tile / tilesX) * TILE_PIXELS);
}

/** Views of the planes of a layout in one memory. kernels.ts states which of them each kernel reads and writes. */
export class Planes {
  readonly layout: Layout;
  readonly source: Uint8Array;
  readonly raw: Uint8Array;
  readonly current: Int16Array;
  readonly last: Int16Array;
  readonly mean: Int16Array;
  readonly deviation: Int16Array;
  readonly flicker: Int16Array;
  readonly difference: Int16Array;
  readonly valid: Uint8Array;
  readonly mask: Uint8Array;
  readonly marked: Uint8Array;
  readonly clean: Uint8Array;
  readonly active: Uint8Array;
  readonly learning: Uint8Array;
  readonly sums: Int32Array;
  readonly shades: Int16Array;
  readonly lastShades: Int16Array;
  readonly floors: Int16Array;
  readonly edges: Int16Array;

  constructor(memory: ArrayBuffer, layout: Layout) {
    const { count, tilesX, tilesY } = layout;
    const bytes = (at: number, length = count): Uint8Array => new Uint8Array(memory, at, length);
    const words = (at: number, length = count): Int16Array => new Int16Array(memory, at, length);
    this.layout = layout;
    this.source = bytes(layout.source, layout.sourcePixels);
    this.raw = bytes(layout.raw);
    this.current = words(layout.current);
    this.last = words(layout.last);
    this.mean = words(layout.mean);
    this.deviation = words(layout.deviation);
    this.flicker = words(layout.flicker);
    this.difference = words(layout.difference);
    this.valid = bytes(layout.valid);
    this.mask = bytes(layout.mask);
    this.marked = bytes(layout.marked);
    this.clean = bytes(layout.clean);
    this.active = bytes(layout.active);
    this.learning = bytes(layout.learning);
    this.sums = new Int32Array(memory, layout.sums, tilesX * tilesY * 4);
    this.shades = words(layout.shades, (tilesX + 2) * (tilesY + 2));
    this.lastShades = words(layout.lastShades, (tilesX + 2) * (tilesY + 2));
    this.floors = words(layout.floors, tilesX * tilesY);
    this.edges = words(layout.edges, tilesX * tilesY);
  }
}
