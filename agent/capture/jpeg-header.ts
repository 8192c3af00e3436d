import { SealcamError } from '../../common/errors.js';

/** Why a frame is no picture. */
export type BadPicture = 'not-jpeg' | 'no-header' | 'too-large' | 'truncated' | 'undecodable';

export function badPicture(reason: BadPicture, message: string, cause?: unknown): SealcamError {
  return new SealcamError('frame-corrupt', message, { details: { reason }, ...(cause === undefined ? {} : { cause }) });
}

export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  readonly isProgressive: boolean;
}

/** 8000×6000 and a little. */
const PIXELS_MAX = 50_000_000;
/** A decoder holds the whole of a progressive picture, 3 bytes a pixel, whatever scale it is asked for. */
const PROGRESSIVE_PIXELS_MAX = 8_300_000;
/** No lens is so wide; a decoder's lines are as long. */
const SIDE_MAX = 16_384;

/**
 * Size and kind of a JPEG from its header alone, before any decoder sees it.
 * @throws SealcamError `frame-corrupt`, with the reason in its details
 */
export function readHeader(jpeg: Uint8Array): JpegHeader {
  // Anything but a JPEG is refused: other decoders have no business with bytes from outside.
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) throw badPicture('not-jpeg', 'a frame that is no JPEG');
  const header = sizeOf(jpeg);
  if (header === null) throw badPicture('no-header', 'a frame without the size of its picture');
  const { width, height, isProgressive } = header;
  const most = isProgressive ? PROGRESSIVE_PIXELS_MAX : PIXELS_MAX;
  if (width > SIDE_MAX || height > SIDE_MAX || width * height > most) {
    const kind = isProgressive ? 'progressive ' : '';
    throw badPicture('too-large', `a ${kind}frame of ${String(width)}×${String(height)} is not decoded`);
  }
  return header;
}

/** Segments of ITU-T T.81, annex B: FF, kind, length; the start of frame has precision, height and width. */
function sizeOf(jpeg: Uint8Array): JpegHeader | null {
  const word = (at: number): number => ((jpeg[at] ?? 0) << 8) | (jpeg[at + 1] ?? 0);
  for (let at = 2; at + 9 <= jpeg.length && jpeg[at] === 0xff;) {
    const kind = jpeg[at + 1] ?? 0;
    if (kind === 0xff) {
      at++;
      continue;
    }
    // Start of scan, or the end: no size came.
    if (kind === 0xda || kind === 0xd9 || word(at + 2) < 2) return null;
    const isStartOfFrame = kind >= 0xc0 && kind <= 0xcf && kind !== 0xc4 && kind !== 0xc8 && kind !== 0xcc;
    if (isStartOfFrame) {
      const [height, width] = [word(at + 5), word(at + 7)];
      return width === 0 || height === 0 ? null : { width, height, isProgressive: kind === 0xc2 };
    }
    at += 2 + word(at + 2);
  }
  return null;
}
