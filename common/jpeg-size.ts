export interface JpegSize {
  readonly width: number;
  readonly height: number;
  readonly isProgressive: boolean;
}

/**
 * Reads the size of a JPEG from its header, without any decoder; null where it has none. Walks the segments of ITU-T T.81,
 * annex B (FF, kind, length) to the start of frame: precision, height, width.
 */
export function readJpegSize(jpeg: Uint8Array): JpegSize | null {
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) return null;
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
