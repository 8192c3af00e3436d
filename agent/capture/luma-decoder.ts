import type { LumaPlane } from '../../hal/camera.js';
import type { HuffmanTable } from './jpeg-scan.js';
import { HUFFMAN_FAST_BITS, readJpegScan, type JpegScan } from './jpeg-scan.js';
import { lumaSize } from './luma-size.js';

/** Natural order (row × 8 + column) of the coefficients that a reduced picture needs, by their place in the scan's zigzag. */
const ZIGZAG_HEAD = [0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27];
/** Pixels of a side that 8 become, and the last place in the zigzag of a coefficient that they need. */
const REDUCTIONS = [
  { side: 1, last: 0 },
  { side: 2, last: 4 },
  { side: 4, last: 24 },
] as const;
type Reduction = (typeof REDUCTIONS)[number];

/** A larger picture is left to libvips, which decodes in a thread of its own: here all else would wait. */
const DIRECT_MAX_BYTES = 512 * 1024;

/** A block of one level is at most 128 × 8 from the middle; quantisation rounds that by half a step. */
const DC_MAX = 1024;

/** Inverse DCT of four points, scaled for coefficients of eight: the value at x is the sum of coefficient u × this. */
const COSINES = Float64Array.from({ length: 16 }, (_, i) => {
  const u = i & 3;
  const scale = u === 0 ? 0.5 : Math.SQRT1_2;
  return Math.SQRT1_2 * scale * Math.cos(((2 * (i >> 2) + 1) * u * Math.PI) / 8);
});

/**
 * Decodes what detection needs of a camera's JPEG: brightness alone, directly at an eighth, a quarter or half of the size.
 * libvips would decode colour as well, at twice the size, and allocate for it. Everything that is not a plain baseline picture
 * is refused with null: then libvips decides. What is damaged is `damaged`: libjpeg repairs more of that than it says, and
 * fills the rest with garbage. The plane is overwritten by the next call.
 */
export class LumaDecoder {
  private readonly coefficients = new Float64Array(64);
  private readonly rows = new Float64Array(16);
  /** The picture at the reduced size, in whole blocks. */
  private reduced = new Uint8Array(0);
  private plane = new Uint8Array(0);
  private widths = new Float64Array(0);

  /** Returns a plane of `width` pixels a row, as far as the picture and its shape allow. */
  decode(jpeg: Uint8Array, width: number): LumaPlane | 'damaged' | null {
    const scan = jpeg.length > DIRECT_MAX_BYTES ? null : readJpegScan(jpeg);
    if (scan === null) return null;
    const { width: outWidth, height: outHeight } = lumaSize(scan, width);
    const reduction = REDUCTIONS.find(({ side }) => Math.ceil((scan.width * side) / 8) >= outWidth);
    if (reduction === undefined) return null;
    const stride = scan.blocksAcross * reduction.side;
    const size = stride * scan.blocksDown * reduction.side;
    if (this.reduced.length !== size) this.reduced = new Uint8Array(size);
    const end = this.decodeScan(jpeg, scan, reduction, stride);
    if (end !== 'whole') return end === 'damaged' ? end : null;
    if (this.plane.length !== outWidth * outHeight) this.plane = new Uint8Array(outWidth * outHeight);
    const from = {
      width: Math.ceil((scan.width * reduction.side) / 8),
      height: Math.ceil((scan.height * reduction.side) / 8),
      stride,
    };
    this.average(from, outWidth, outHeight);
    return { width: outWidth, height: outHeight, data: this.plane };
  }

  /** Reads all blocks of the scan (T.81, annex F.2) and writes the reduced luma. */
  private decodeScan(jpeg: Uint8Array, scan: JpegScan, reduction: Reduction, stride: number): ScanEnd {
    const { coefficients } = this;
    const { components, mcusAcross, mcusDown, restartInterval } = scan;
    const predictions = new Int32Array(components.length);
    let { at } = scan;
    let bits = 0;
    let count = 0;
    /** Bits beyond the end of the data, which no valid scan reads. */
    let missing = 0;
    const refill = (): void => {
      while (count <= 24) {
        let byte = jpeg[at] ?? 0;
        if (byte === 0xff && jpeg[at + 1] === 0) at += 2;
        else if (byte === 0xff || at >= jpeg.length) {
          byte = 0;
          missing += 8;
        } else at++;
        bits = (bits << 8) | byte;
        count += 8;
      }
    };
    const symbolOf = (table: HuffmanTable): number => {
      if (count < 16) refill();
      const entry = table.fast[(bits >>> (count - HUFFMAN_FAST_BITS)) & ((1 << HUFFMAN_FAST_BITS) - 1)] ?? 0;
      if (entry !== 0) {
        count -= entry >> 8;
        return entry & 0xff;
      }
      const long = table.findLong((bits >>> (count - 16)) & 0xffff);
      count -= long >> 8;
      return long === 0 ? -1 : long & 0xff;
    };
    const valueOf = (size: number): number => {
      if (count < size) refill();
      count -= size;
      const value = (bits >>> count) & ((1 << size) - 1);
      return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
    };
    for (let mcu = 0, total = mcusAcross * mcusDown; mcu < total; mcu++) {
      if (missing > count) return 'damaged';
      if (restartInterval > 0 && mcu > 0 && mcu % restartInterval === 0) {
        const marker = 0xd0 + ((mcu / restartInterval - 1) & 7);
        if (missing > count || jpeg[at] !== 0xff || jpeg[at + 1] !== marker) return 'damaged';
        at += 2;
        bits = count = missing = 0;
        predictions.fill(0);
      }
      for (let index = 0; index < components.length; index++) {
        const component = components[index];
        if (component === undefined) return 'damaged';
        const { across, down, dc, ac, quantization } = component;
        const last = index === 0 ? reduction.last : -1;
        for (let block = 0; block < across * down; block++) {
          const size = symbolOf(dc);
          if (size < 0 || size > 11) return 'damaged';
          const level = (predictions[index] ?? 0) + (size === 0 ? 0 : valueOf(size));
          predictions[index] = level;
          // Lost bits make an offset that stays, and sooner or later is beyond black or white.
          if (Math.abs(level * (quantization[0] ?? 0)) > DC_MAX + (quantization[0] ?? 0)) return 'damaged';
          for (let k = 1; k <= last; k++) coefficients[ZIGZAG_HEAD[k] ?? 0] = 0;
          coefficients[0] = level * (quantization[0] ?? 0);
          for (let k = 1; k < 64; k++) {
            const symbol = symbolOf(ac);
            if (symbol < 0) return 'damaged';
            const valueBits = symbol & 15;
            k += symbol >> 4;
            if (valueBits === 0) {
              // Sixteen zeros, or the end of the block.
              if (symbol === 0xf0) continue;
              if (symbol !== 0) return 'damaged';
              break;
            }
            if (k > 63) return 'damaged';
            if (k <= last) coefficients[ZIGZAG_HEAD[k] ?? 0] = valueOf(valueBits) * (quantization[k] ?? 0);
            else {
              if (count < valueBits) refill();
              count -= valueBits;
            }
          }
          if (index > 0) continue;
          const column = (mcu % mcusAcross) * across + (block % across);
          const row = Math.floor(mcu / mcusAcross) * down + Math.floor(block / across);
          this.writeBlock(reduction.side, row * reduction.side * stride + column * reduction.side, stride);
        }
      }
    }
    return missing > count ? 'damaged' : endOf(jpeg, at, { count: count - missing, bits: bits >>> missing });
  }

  /** Writes the pixels of the block in `coefficients`. */
  private writeBlock(side: Reduction['side'], at: number, stride: number): void {
    const { coefficients, reduced, rows } = this;
    const mean = (coefficients[0] ?? 0) / 8 + 128;
    if (side === 1) {
      reduced[at] = clamp(mean);
      return;
    }
    if (side === 2) {
      const across = (coefficients[1] ?? 0) / 8;
      const down = (coefficients[8] ?? 0) / 8;
      const cross = (coefficients[9] ?? 0) / 8;
      reduced[at] = clamp(mean + across + down + cross);
      reduced[at + 1] = clamp(mean - across + down - cross);
      reduced[at + stride] = clamp(mean + across - down - cross);
      reduced[at + stride + 1] = clamp(mean - across - down + cross);
      return;
    }
    for (let y = 0; y < 4; y++) {
      for (let u = 0; u < 4; u++) {
        let sum = 0;
        for (let v = 0; v < 4; v++) sum += (coefficients[8 * v + u] ?? 0) * (COSINES[4 * y + v] ?? 0);
        rows[4 * y + u] = sum;
      }
    }
    for (let y = 0; y < 4; y++) {
      for (let x = 0; x < 4; x++) {
        let sum = 128;
        for (let u = 0; u < 4; u++) sum += (rows[4 * y + u] ?? 0) * (COSINES[4 * x + u] ?? 0);
        reduced[at + y * stride + x] = clamp(sum);
      }
    }
  }

  /** Reduces the picture to its final size: each pixel is the mean of the area that it covers. */
  private average(from: { width: number; height: number; stride: number }, width: number, height: number): void {
    const { reduced, plane } = this;
    if (from.width === width && from.height === height) {
      for (let y = 0; y < height; y++) plane.set(reduced.subarray(y * from.stride, y * from.stride + width), y * width);
      return;
    }
    if (this.widths.length !== width * from.height) this.widths = new Float64Array(width * from.height);
    const { widths } = this;
    const stepX = from.width / width;
    for (let y = 0; y < from.height; y++) {
      for (let x = 0; x < width; x++) {
        widths[y * width + x] = meanOf(reduced, y * from.stride, 1, x * stepX, Math.min(from.width, (x + 1) * stepX));
      }
    }
    const stepY = from.height / height;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        plane[y * width + x] = clamp(meanOf(widths, x, width, y * stepY, Math.min(from.height, (y + 1) * stepY)));
      }
    }
  }
}

/** How the data of a scan end: `other` is a marker that a plain picture has not. */
type ScanEnd = 'whole' | 'damaged' | 'other';

/** Looks at what follows the last block: bits that were read ahead, and bytes from `at` on. */
function endOf(jpeg: Uint8Array, at: number, unread: { readonly count: number; readonly bits: number }): ScanEnd {
  // Bytes that were read ahead are given back; a stuffed zero comes with its FF.
  let from = at;
  for (let i = 8; i <= unread.count; i += 8) from -= jpeg[from - 1] === 0 && jpeg[from - 2] === 0xff ? 2 : 1;
  let marker = from;
  while (
    marker < jpeg.length &&
    (jpeg[marker] !== 0xff || (jpeg[marker + 1] ?? 0) === 0 || jpeg[marker + 1] === 0xff)
  ) {
    marker++;
  }
  if (jpeg[marker + 1] !== 0xd9) return 'other';
  const isFiller = jpeg.subarray(from, marker).every((byte) => byte === 0 || byte === 0xff);
  // A scan fills its last byte with ones. Where it does, bytes after it are an oddity of the camera; where not, it was left early.
  const padding = (1 << (unread.count & 7)) - 1;
  const isPadded = ((unread.bits >>> (unread.count & ~7)) & padding) === padding;
  return isFiller || (isPadded && padding > 0) ? 'whole' : 'damaged';
}

/** Returns the mean between two places of a line of values, of which the outermost count in part. */
function meanOf(values: Uint8Array | Float64Array, offset: number, step: number, from: number, to: number): number {
  let sum = 0;
  for (let i = Math.floor(from); i < to; i++) {
    sum += (values[offset + i * step] ?? 0) * (Math.min(to, i + 1) - Math.max(from, i));
  }
  return sum / (to - from);
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : Math.round(value);
}
