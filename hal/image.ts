import { SealcamError } from '../common/errors.js';
import { readJpegSize } from '../common/jpeg-size.js';

/** Pixels row by row: 3 bytes (RGB) or 4 (RGBA) each. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  readonly data: Uint8Array;
}

/** Loads libvips with the first picture that is drawn: a camera that has a sensor never draws one. */
const loadSharp = async () => (await import('sharp')).default;

/** Draws an SVG, without colour where `grey` is set. */
export async function drawSvg(
  svg: string,
  options: { readonly alpha: boolean; readonly grey: boolean; readonly width?: number },
): Promise<Raster> {
  const sharp = await loadSharp();
  let image = sharp(Buffer.from(svg));
  if (options.width !== undefined) image = image.resize({ width: options.width });
  // `greyscale()` would leave one channel, and three are expected.
  if (options.grey) image = image.modulate({ saturation: 0 });
  image = options.alpha ? image.ensureAlpha() : image.removeAlpha();
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: options.alpha ? 4 : 3, data: new Uint8Array(data) };
}

/** Compresses pixels as a JPEG; `quality` is from 1 to 100. */
export async function encodeJpeg(raster: Raster, quality: number): Promise<Uint8Array> {
  const { width, height, channels, data } = raster;
  const sharp = await loadSharp();
  return new Uint8Array(await sharp(data, { raw: { width, height, channels } }).jpeg({ quality }).toBuffer());
}

/** Returns the pixels of a JPEG, 4 bytes each; null where it is damaged. */
export async function decodeRgba(jpeg: Uint8Array): Promise<Uint8Array<ArrayBuffer> | null> {
  const sharp = await loadSharp();
  try {
    return new Uint8Array(await sharp(jpeg).ensureAlpha().raw().toBuffer());
  } catch {
    return null;
  }
}

/** Draws an SVG as a PNG file with a palette. The SVG may hold pictures as data URLs. */
export async function drawPng(svg: string): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return new Uint8Array(await sharp(Buffer.from(svg)).png({ palette: true, effort: 3 }).toBuffer());
}

/** Writes a luma plane as a PNG file. */
export async function greyPng(width: number, height: number, data: Uint8Array): Promise<Uint8Array> {
  const sharp = await loadSharp();
  const raw = { width, height, channels: 1 } as const;
  return new Uint8Array(await sharp(data, { raw }).toColourspace('b-w').png().toBuffer());
}

/** Reads the size of a JPEG from its header. @throws SealcamError `frame-corrupt` */
export function jpegSize(jpeg: Uint8Array): { readonly width: number; readonly height: number } {
  const size = readJpegSize(jpeg);
  if (size === null) throw new SealcamError('frame-corrupt', 'a file that is not a JPEG');
  return { width: size.width, height: size.height };
}
