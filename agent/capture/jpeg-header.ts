import { SealcamError } from '../../common/errors.js';

/** Why a frame is not a picture that can be used. */
export type BadPicture = 'not-jpeg' | 'no-header' | 'too-large' | 'truncated' | 'undecodable';

/** Makes the error `frame-corrupt`, with the reason in its details. */
export function badPicture(reason: BadPicture, message: string, cause?: unknown): SealcamError {
  return new SealcamError('frame-corrupt', message, { details: { reason }, ...(cause === undefined ? {} : { cause }) });
}

export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  readonly isProgressive: boolean;
}

/** 8000×6000 pixels, and a margin. */
const PIXELS_MAX = 50_000_000;
/** A decoder holds all of a progressive picture in memory, 3 bytes a pixel, at any scale. */
const PROGRESSIVE_PIXELS_MAX = 8_300_000;
/** No camera has more; it bounds the lines that a decoder holds. */
const SIDE_MAX_PIXELS = 16_384;

/**
 * Reads the size and kind of a JPEG from its header alone, before any decoder sees it.
 * @throws SealcamError `frame-corrupt`, with the reason in its details
 */
export function readHeader(jpeg: Uint8Array): JpegHeader {
  // Anything but a JPEG is refused, so that bytes from outside reach no other decoder.
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) throw badPicture('not-jpeg', 'a frame that is not a JPEG');
  const header = sizeOf(jpeg);
  if (header === null) throw badPicture('no-header', 'a JPEG without a frame header');
  const { width, height, isProgressive } = header;
  const pixelsMax = isProgressive ? PROGRESSIVE_PIXELS_MAX : PIXELS_MAX;
  if (width > SIDE_MAX_PIXELS || height > SIDE_MAX_PIXELS || width * height > pixelsMax) {
    const kind = isProgressive ? 'progressive ' : '';
    throw badPicture('too-large', `a ${kind}frame of ${String(width)}×${String(height)} is not decoded`);
  }
  return header;
}

/** Walks the segments of ITU-T T.81, annex B (FF, kind, length) to the start of frame: precision, height, width. */
function sizeOf(jpeg: Uint8Array): JpegHeader | null {
  const word = (at: number): number => ((jpeg[at] ?? 0) << 8) | (jpeg[at + 1] ?? 0);
  for (let at = 2; at + 9 <= jpeg.length && jpeg[at] === 0xff;) {
    const kind = jpeg[at + 1] ?? 0;
    if (kind === 0xff) {
      at++;
      continue;
    }
    // Start of scan, or the end, without a start of frame.
    if (kind === 0xda || kind === 0xd9 || word(at + 2) < 2) return null;
    const isStartOfFrame = kind >= 0xc0 && kind <= 0xcf && kind !== 0xc4 && kind !== 0xc8 && kind !== 0xcc;
    if (isStartOfFrame) {
      const height = word(at + 5);
      const width = word(at + 7);
      return width === 0 || height === 0 ? null : { width, height, isProgressive: kind === 0xc2 };
    }
    at += 2 + word(at + 2);
  }
  return null;
}
