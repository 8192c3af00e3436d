/** A component of a picture, as its scan holds it. */
export interface JpegComponent {
  /** Blocks in each group of blocks (MCU). */
  readonly across: number;
  readonly down: number;
  readonly dc: HuffmanTable;
  readonly ac: HuffmanTable;
  /** In zigzag order. */
  readonly quantization: Uint16Array;
}

/** The one scan of a baseline JPEG. */
export interface JpegScan {
  readonly width: number;
  readonly height: number;
  /** Luma first. */
  readonly components: readonly JpegComponent[];
  readonly mcusAcross: number;
  readonly mcusDown: number;
  /** Blocks of luma, those beyond the edge included. */
  readonly blocksAcross: number;
  readonly blocksDown: number;
  /** MCUs between restart markers; 0 without any. */
  readonly restartInterval: number;
  /** Where its data begin. */
  readonly at: number;
}

/** Codes of up to this many bits are found in one step. */
export const HUFFMAN_FAST_BITS = 9;

/** A Huffman table (T.81, annex C): the code's length × 256 + its symbol. */
export class HuffmanTable {
  readonly fast = new Uint16Array(1 << HUFFMAN_FAST_BITS);
  private readonly symbols: Uint8Array;
  /** For each length: the code after the last one, on the left of 16 bits, and what to add to a code for its symbol's place. */
  private readonly ends = new Int32Array(17);
  private readonly offsets = new Int32Array(17);

  /** `counts` holds the number of codes of each length from 1 to 16. */
  constructor(counts: Uint8Array, symbols: Uint8Array) {
    this.symbols = symbols;
    let code = 0;
    let place = 0;
    for (let length = 1; length <= 16; length++) {
      const count = counts[length - 1] ?? 0;
      this.offsets[length] = place - code;
      if (length <= HUFFMAN_FAST_BITS) {
        const shift = HUFFMAN_FAST_BITS - length;
        for (let i = 0; i < count; i++) {
          const entry = (length << 8) | (symbols[place + i] ?? 0);
          this.fast.fill(entry, (code + i) << shift, (code + i + 1) << shift);
        }
      }
      code += count;
      place += count;
      this.ends[length] = code << (16 - length);
      code <<= 1;
    }
  }

  /** Finds a code longer than the fast ones at the left of 16 bits; 0 where no code begins so. */
  findLong(bits: number): number {
    for (let length = HUFFMAN_FAST_BITS + 1; length <= 16; length++) {
      if (bits < (this.ends[length] ?? 0)) {
        const place = (bits >>> (16 - length)) + (this.offsets[length] ?? 0);
        return (length << 8) | (this.symbols[place] ?? 0);
      }
    }
    return 0;
  }
}

interface FrameComponent {
  readonly id: number;
  readonly across: number;
  readonly down: number;
  readonly quantization: number;
}

interface Tables {
  readonly quantization: Map<number, Uint16Array>;
  /** By class × 16 + number, as in the file: 0 is a table for DC, 16 one for AC. */
  readonly huffman: Map<number, HuffmanTable>;
  frame: { readonly width: number; readonly height: number; readonly components: readonly FrameComponent[] } | null;
  restartInterval: number;
}

/**
 * Reads a JPEG up to its data, if it is what cameras send: baseline, grey or YCbCr, one scan. Null for everything else, and
 * where something says that the picture is to be turned or its colours to be changed.
 */
export function readJpegScan(jpeg: Uint8Array): JpegScan | null {
  const tables: Tables = { quantization: new Map(), huffman: new Map(), frame: null, restartInterval: 0 };
  const word = (at: number): number => ((jpeg[at] ?? 0) << 8) | (jpeg[at + 1] ?? 0);
  let at = 2;
  while (at + 4 <= jpeg.length && jpeg[at] === 0xff) {
    const kind = jpeg[at + 1] ?? 0;
    const end = at + 2 + word(at + 2);
    if (kind < 0xc0 || (kind >= 0xd0 && kind <= 0xd9) || end > jpeg.length) return null;
    const body = jpeg.subarray(at + 4, end);
    if (kind === 0xda) return scanOf(tables, body, end);
    if (!readSegment(tables, kind, body)) return null;
    at = end;
  }
  return null;
}

/** Reads a segment before the scan. Returns false where the picture is to be left to libvips. */
function readSegment(tables: Tables, kind: number, body: Uint8Array): boolean {
  switch (kind) {
    case 0xc0:
    case 0xc1:
      tables.frame = tables.frame === null ? frameOf(body) : null;
      return tables.frame !== null;
    case 0xc4:
      return readHuffman(tables.huffman, body);
    case 0xdb:
      return readQuantization(tables.quantization, body);
    case 0xdd:
      tables.restartInterval = ((body[0] ?? 0) << 8) | (body[1] ?? 0);
      return body.length === 2;
    // Exif may turn the picture, ICC profiles change its colours, Adobe's segment may say RGB.
    case 0xe1:
    case 0xe2:
    case 0xee:
      return false;
    default:
      // Application data and comments. Other kinds of frames are not baseline.
      return kind >= 0xe0 && (kind <= 0xef || kind === 0xfe);
  }
}

function frameOf(body: Uint8Array): Tables['frame'] {
  const count = body[5] ?? 0;
  if (body[0] !== 8 || (count !== 1 && count !== 3) || body.length !== 6 + 3 * count) return null;
  const components = Array.from({ length: count }, (_, i) => {
    const [id = 0, sampling = 0, quantization = 0] = body.subarray(6 + 3 * i);
    // One component alone is not interleaved: its groups are single blocks.
    const [across, down] = count === 1 ? [1, 1] : [sampling >> 4, sampling & 15];
    return { id, across, down, quantization };
  });
  const [luma] = components;
  const isUsual = components.every(({ across, down }) => across >= 1 && across <= 2 && down >= 1 && down <= 2);
  const isLargest = components.every(({ across, down }) => across <= (luma?.across ?? 0) && down <= (luma?.down ?? 0));
  if (!isUsual || !isLargest) return null;
  const height = ((body[1] ?? 0) << 8) | (body[2] ?? 0);
  const width = ((body[3] ?? 0) << 8) | (body[4] ?? 0);
  return width === 0 || height === 0 ? null : { width, height, components };
}

function readHuffman(tables: Map<number, HuffmanTable>, body: Uint8Array): boolean {
  let at = 0;
  while (at + 17 <= body.length) {
    const counts = body.subarray(at + 1, at + 17);
    const count = counts.reduce((sum, one) => sum + one, 0);
    // More codes than fit into their lengths would overlap.
    const isPrefix = counts.reduce((sum, one, i) => sum + one * 2 ** (15 - i), 0) <= 65_536;
    if (!isPrefix || count > 256 || at + 17 + count > body.length) return false;
    tables.set(body[at] ?? 0, new HuffmanTable(counts, body.subarray(at + 17, at + 17 + count)));
    at += 17 + count;
  }
  return at === body.length;
}

function readQuantization(tables: Map<number, Uint16Array>, body: Uint8Array): boolean {
  let at = 0;
  while (at < body.length) {
    const head = body[at++] ?? 0;
    const bytes = head >> 4 === 0 ? 1 : 2;
    if (head >> 4 > 1 || at + 64 * bytes > body.length) return false;
    const table = Uint16Array.from({ length: 64 }, (_, i) =>
      bytes === 1 ? (body[at + i] ?? 0) : ((body[at + 2 * i] ?? 0) << 8) | (body[at + 2 * i + 1] ?? 0),
    );
    tables.set(head & 15, table);
    at += 64 * bytes;
  }
  return true;
}

function scanOf(
  { frame, huffman, quantization, restartInterval }: Tables,
  body: Uint8Array,
  at: number,
): JpegScan | null {
  const count = body[0] ?? 0;
  if (frame?.components.length !== count || body.length !== 4 + 2 * count) return null;
  const [from, to, approximation] = body.subarray(1 + 2 * count);
  if (from !== 0 || to !== 63 || approximation !== 0) return null;
  const components: JpegComponent[] = [];
  for (const [i, { id, across, down, quantization: number }] of frame.components.entries()) {
    const dc = huffman.get((body[2 + 2 * i] ?? 0) >> 4);
    const ac = huffman.get(16 + ((body[2 + 2 * i] ?? 0) & 15));
    const table = quantization.get(number);
    if (body[1 + 2 * i] !== id || dc === undefined || ac === undefined || table === undefined) return null;
    components.push({ across, down, dc, ac, quantization: table });
  }
  const { width, height } = frame;
  const { across = 1, down = 1 } = components[0] ?? {};
  const mcusAcross = Math.ceil(width / (8 * across));
  const mcusDown = Math.ceil(height / (8 * down));
  return {
    width,
    height,
    components,
    mcusAcross,
    mcusDown,
    blocksAcross: mcusAcross * across,
    blocksDown: mcusDown * down,
    restartInterval,
    at,
  };
}
