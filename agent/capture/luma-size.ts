import { PIXELS_MAX, SIDE_MIN_PIXELS, WIDTH_MAX_PIXELS, type Size } from './detect/plane-size.js';

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
