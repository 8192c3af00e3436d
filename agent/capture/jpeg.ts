import type { OutputInfo, Sharp, SharpConstructor } from 'sharp';
import { asBytes } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { LumaPlane } from '../../hal/camera.js';
import type { Box } from './detect/observation.js';
import { badPicture, readHeader, type BadPicture } from './jpeg-header.js';
import { LumaDecoder } from './luma-decoder.js';
import { lumaSize } from './luma-size.js';
import { blackOut, type PrivacyMask } from './detect/masks.js';

/**
 * Loads libvips, with the first picture: a start needs none. It gets one thread and no cache: more only cost memory on a small
 * ARM core.
 */
async function libvips(): Promise<SharpConstructor> {
  const { default: sharp } = await import('sharp');
  sharp.concurrency(1);
  sharp.cache(false);
  return sharp;
}

/** Which faults of a picture end its decoding, in the words of `sharp`. */
type Strictness = 'warning' | 'truncated';

/** Opens a JPEG turned upright by its orientation tag, so that plane, zones, box and picture share one view. */
async function open(jpeg: Uint8Array, failOn: Strictness): Promise<Sharp> {
  readHeader(jpeg);
  const sharp = await libvips();
  return sharp(jpeg, { failOn, limitInputPixels: false }).autoOrient();
}

/** Warnings of libjpeg about headers; what it decodes is the picture nonetheless. */
const HARMLESS_WARNING = /Adobe color transform|JFIF revision|SOS parameters|Inconsistent progression/i;

/**
 * Works on a picture. libjpeg repairs damaged data and only warns: what it invents is no picture, so a warning is an error, except
 * where it is harmless.
 */
async function withPicture<T>(jpeg: Uint8Array, work: (upright: Sharp) => Promise<T>): Promise<T> {
  try {
    return await work(await open(jpeg, 'warning'));
  } catch (error) {
    if (!linesOf(error).every((line) => HARMLESS_WARNING.test(line))) throw corrupt(error);
  }
  try {
    return await work(await open(jpeg, 'truncated'));
  } catch (error) {
    throw corrupt(error);
  }
}

function linesOf(error: unknown): string[] {
  return error instanceof Error ? error.message.split('\n').filter((line) => line !== '') : [''];
}

/** Turns an error of the decoder into `frame-corrupt`. */
function corrupt(cause: unknown): SealcamError {
  if (cause instanceof SealcamError) return cause;
  const why = linesOf(cause)[0] ?? '';
  let reason: BadPicture = 'undecodable';
  if (/premature end of (jpeg|input)|truncat|out of data/i.test(why)) reason = 'truncated';
  else if (/corrupt jpeg data/i.test(why)) reason = 'damaged';
  return badPicture(reason, `a frame that cannot be decoded: ${why}`, cause);
}

/**
 * Decodes the luma plane for detection, at most `width` pixels wide unless the picture is very wide. With a decoder of the
 * caller's the plane is good until its next use.
 *
 * @throws SealcamError `frame-corrupt`
 */
export async function decodeLuma(jpeg: Uint8Array, width: number, decoder = new LumaDecoder()): Promise<LumaPlane> {
  readHeader(jpeg);
  const direct = decoder.decode(jpeg, width);
  if (direct !== null && direct !== 'damaged') return direct;
  const plane = await withPicture(jpeg, async (upright) => {
    const { autoOrient: whole } = await upright.metadata();
    const image = upright
      .toColourspace('b-w')
      .resize({ ...lumaSize(whole, width), fit: 'fill', fastShrinkOnLoad: true });
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    if (info.channels !== 1) throw badPicture('undecodable', `a luma plane of ${String(info.channels)} channels`);
    return { width: info.width, height: info.height, data: asBytes(data) };
  });
  // libvips names its reason, where it has one.
  if (direct === 'damaged') throw badPicture('damaged', 'a frame with damaged data');
  return plane;
}

export interface Thumbnail {
  /** JPEG, upright, without EXIF or any other metadata. */
  readonly jpeg: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** How pictures are made. Under the masks they are black. */
export interface PictureSettings {
  readonly width: number;
  readonly quality: number;
  readonly masks: readonly PrivacyMask[];
}

/** Makes a picture of this width and quality. @throws SealcamError `frame-corrupt` */
export async function makeThumbnail(
  jpeg: Uint8Array,
  width: number,
  quality: number,
  masks: readonly PrivacyMask[],
): Promise<Thumbnail> {
  return (await decodeView(jpeg, { width, quality, masks })).encode(1, quality);
}

/** Factors on quality and width, tried in this order until the picture fits. */
const SIZE_STEPS = [
  { quality: 1, width: 1 },
  { quality: 0.85, width: 1 },
  { quality: 0.7, width: 1 },
  { quality: 0.5, width: 0.75 },
  { quality: 0.4, width: 0.5 },
  { quality: 0.3, width: 0.35 },
] as const;
/** Of a mini picture, which has few pixels to lose. */
const MINI_STEPS = [
  { quality: 1, width: 1 },
  { quality: 0.85, width: 1 },
  { quality: 0.7, width: 1 },
  { quality: 0.55, width: 1 },
  { quality: 0.4, width: 1 },
  { quality: 0.3, width: 1 },
  { quality: 0.4, width: 0.75 },
  { quality: 0.3, width: 0.5 },
] as const;
const QUALITY_MIN = 20;
/** Width of a mini picture, where the view has as many pixels. */
const MINI_WIDTH = 160;
/** About that of a camera. */
const MASKED_QUALITY = 80;

/**
 * Makes a picture of at most `maxBytes`, of the whole view or of a crop; null when even the smallest is larger.
 * @throws SealcamError `frame-corrupt`
 */
export async function fitThumbnail(
  jpeg: Uint8Array,
  settings: PictureSettings,
  maxBytes: number,
  crop: Box | null = null,
): Promise<Thumbnail | null> {
  return (await decodeView(jpeg, settings, crop)).fitThumbnail(maxBytes);
}

/** A frame's view or a crop of it, decoded once at the wanted size and black under the masks. Its pictures are compressed from here. */
export class View {
  /** Private to the language too, so that no log shows them. */
  readonly #pixels: Buffer;
  private readonly info: OutputInfo;
  private readonly quality: number;

  constructor(pixels: Buffer, info: OutputInfo, quality: number) {
    this.#pixels = pixels;
    this.info = info;
    this.quality = quality;
  }

  /** Returns the picture; null when even the smallest is larger. */
  fitThumbnail(maxBytes: number): Promise<Thumbnail | null> {
    return this.fit(1, SIZE_STEPS, maxBytes);
  }

  /** Returns a picture about 160 pixels wide; null when even the smallest is larger. */
  fitMini(maxBytes: number): Promise<Thumbnail | null> {
    return this.fit(Math.min(1, MINI_WIDTH / this.info.width), MINI_STEPS, maxBytes);
  }

  async encode(scale: number, quality: number): Promise<Thumbnail> {
    const { width, height, channels } = this.info;
    const sharp = await libvips();
    const raw = sharp(this.#pixels, { raw: { width, height, channels } });
    const sized = scale === 1 ? raw : raw.resize({ width: Math.max(16, Math.round(width * scale)) });
    const { data, info } = await sized.jpeg({ quality }).toBuffer({ resolveWithObject: true });
    return { jpeg: asBytes(data), width: info.width, height: info.height };
  }

  private async fit(
    scale: number,
    steps: readonly { readonly quality: number; readonly width: number }[],
    maxBytes: number,
  ): Promise<Thumbnail | null> {
    for (const step of steps) {
      const quality = Math.max(QUALITY_MIN, Math.round(this.quality * step.quality));
      const picture = await this.encode(scale * step.width, quality);
      if (picture.jpeg.length <= maxBytes) return picture;
    }
    return null;
  }
}

/** Decodes a frame's view, or a crop of it. @throws SealcamError `frame-corrupt` */
export async function decodeView(
  jpeg: Uint8Array,
  { width, quality, masks }: PictureSettings,
  crop: Box | null = null,
): Promise<View> {
  const { data, info } = await withPicture(jpeg, async (upright) => {
    const whole = await masked(upright, masks);
    const image = crop === null ? whole.resize({ width, withoutEnlargement: true }) : await partOf(whole, width, crop);
    // Three channels also of greyscale and CMYK, so that every thumbnail can be shown by a browser.
    return image.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  });
  return new View(data, info, quality);
}

/**
 * Blacks out the masks of an upright picture before any resampling, which would spread what is under them. Every picture that
 * leaves the camera comes from here.
 */
async function masked(upright: Sharp, masks: readonly PrivacyMask[]): Promise<Sharp> {
  if (masks.length === 0) return upright;
  const pixels = upright.toColourspace('srgb').removeAlpha().raw();
  const { data, info } = await pixels.toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const sharp = await libvips();
  blackOut(data, { width, height, channels }, masks);
  // `readHeader` has checked the size; raw pixels have no header.
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
}

/** Returns the same picture, black under the masks, for a video of pictures. @throws SealcamError `frame-corrupt` */
export async function maskJpeg(jpeg: Uint8Array, masks: readonly PrivacyMask[]): Promise<Uint8Array> {
  return withPicture(jpeg, async (upright) =>
    asBytes(await (await masked(upright, masks)).jpeg({ quality: MASKED_QUALITY }).toBuffer()),
  );
}

/** Cuts a crop out of the picture, which is scaled first, so that only the crop is held at its full size. */
async function partOf(image: Sharp, width: number, crop: Box): Promise<Sharp> {
  const { autoOrient: upright } = await image.metadata();
  const scaledWidth = Math.min(upright.width, Math.ceil(width / crop.width));
  const scaledHeight = Math.max(1, Math.round((upright.height * scaledWidth) / upright.width));
  const left = Math.floor(crop.left * scaledWidth);
  const top = Math.floor(crop.top * scaledHeight);
  return image.resize({ width: scaledWidth, height: scaledHeight, fit: 'fill' }).extract({
    left,
    top,
    width: Math.max(1, Math.min(scaledWidth - left, Math.round(crop.width * scaledWidth))),
    height: Math.max(1, Math.min(scaledHeight - top, Math.round(crop.height * scaledHeight))),
  });
}
