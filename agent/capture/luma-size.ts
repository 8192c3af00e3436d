import type { JpegSize } from '../../common/jpeg-size.js';

/** Fewest pixels of a side, and most pixels of a plane, that detection accepts (detect/plane-size.ts). */
const SIDE_MIN_PIXELS = 16;
const PIXELS_MAX = 320 * 320;
/** A plane is made no wider than this for the sake of its height. */
const WIDTH_MAX_PIXELS = 320;

type Size = Pick<JpegSize, 'width' | 'height'>;

/**
 * Returns the size of the luma plane of an upright picture: `wantedWidth`, or less where the picture is smaller. That of a very
 * wide picture is wider, so that it is high enough to show something, and that of a very narrow one narrower.
 */
export function lumaSize({ width, height }: Size, wantedWidth: number): Size {
  const shape = height / width;
  const sizeOf = (planeWidth: number): Size => ({
    width: planeWidth,
    height: Math.max(1, Math.round(planeWidth * shape)),
  });
  const usual = sizeOf(Math.min(wantedWidth, width));
  const widthNeeded = Math.ceil(SIDE_MIN_PIXELS / shape);
  if (usual.height < SIDE_MIN_PIXELS)
    return widthNeeded > Math.min(width, WIDTH_MAX_PIXELS) ? usual : sizeOf(widthNeeded);
  if (usual.width * usual.height > PIXELS_MAX) return sizeOf(Math.floor(Math.sqrt((PIXELS_MAX * 0.99) / shape)));
  return usual;
}
