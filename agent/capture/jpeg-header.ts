import { SealcamError } from '../../common/errors.js';
import { readJpegSize, type JpegSize } from '../../common/jpeg-size.js';

/** Why a frame is not a picture that can be used. */
export type BadPicture = 'not-jpeg' | 'no-header' | 'too-large' | 'truncated' | 'damaged' | 'undecodable';

/** Makes the error `frame-corrupt`, with the reason in its details. */
export function badPicture(reason: BadPicture, message: string, cause?: unknown): SealcamError {
  return new SealcamError('frame-corrupt', message, { details: { reason }, ...(cause === undefined ? {} : { cause }) });
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
export function readHeader(jpeg: Uint8Array): JpegSize {
  // Anything but a JPEG is refused, so that bytes from outside reach no other decoder.
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) throw badPicture('not-jpeg', 'a frame that is not a JPEG');
  const header = readJpegSize(jpeg);
  if (header === null) throw badPicture('no-header', 'a JPEG without a frame header');
  const { width, height, isProgressive } = header;
  const pixelsMax = isProgressive ? PROGRESSIVE_PIXELS_MAX : PIXELS_MAX;
  if (width > SIDE_MAX_PIXELS || height > SIDE_MAX_PIXELS || width * height > pixelsMax) {
    const kind = isProgressive ? 'progressive ' : '';
    throw badPicture('too-large', `a ${kind}frame of ${String(width)}×${String(height)} is not decoded`);
  }
  return header;
}
