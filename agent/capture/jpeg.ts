import sharp, { type Sharp } from 'sharp';
import { SealcamError } from '../../common/errors.js';
import type { LumaPlane } from '../../hal/camera.js';
import { blackOut, type PrivacyMask } from './masks.js';

/** 8000×6000 and a little; a picture that claims more is not decoded. */
const PIXELS_MAX = 50_000_000;

/** One libvips thread and no cache: on a small ARM core more only cost memory. Called once by the composition root. */
export function configureImages(): void {
  sharp.concurrency(1);
  sharp.cache(false);
}

function open(jpeg: Uint8Array): Sharp {
  // Anything but a JPEG is refused: other decoders have no business with bytes from outside.
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) throw new SealcamError('frame-corrupt', 'a frame that is no JPEG');
  return sharp(jpeg, { failOn: 'truncated', limitInputPixels: PIXELS_MAX });
}

function corrupt(cause: unknown): SealcamError {
  if (cause instanceof SealcamError) return cause;
  const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : 'unknown';
  return new SealcamError('frame-corrupt', `a frame that cannot be decoded: ${why}`, { cause });
}

/** The grey plane that detection looks at, `width` pixels wide or as wide as the picture is. @throws SealcamError `frame-corrupt` */
export async function decodeLuma(jpeg: Uint8Array, width: number): Promise<LumaPlane> {
  try {
    const image = open(jpeg)
      .autoOrient()
      .toColourspace('b-w')
      .resize({ width, withoutEnlargement: true, fastShrinkOnLoad: true });
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    if (info.channels !== 1)
      throw new SealcamError('frame-corrupt', `a grey plane of ${String(info.channels)} channels`);
    return { width: info.width, height: info.height, data: new Uint8Array(data) };
  } catch (error) {
    throw corrupt(error);
  }
}

export interface Thumbnail {
  /** JPEG, upright, without EXIF or any other metadata. */
  readonly jpeg: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** How pictures are made; what is under a mask is in none of them. */
export interface PictureSettings {
  readonly width: number;
  readonly quality: number;
  readonly masks: readonly PrivacyMask[];
}

/**
 * The upright picture, black under its masks before anything else is made of it: no resampling sees what is there.
 * Every picture that leaves the camera begins here.
 */
async function openMasked(jpeg: Uint8Array, masks: readonly PrivacyMask[]): Promise<Sharp> {
  const image = open(jpeg).autoOrient();
  if (masks.length === 0) return image;
  const pixels = image.toColourspace('srgb').removeAlpha().raw();
  const { data, info } = await pixels.toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  blackOut(data, { width, height, channels }, masks);
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: PIXELS_MAX });
}

/** @throws SealcamError `frame-corrupt` */
export async function makeThumbnail(
  jpeg: Uint8Array,
  width: number,
  quality: number,
  masks: readonly PrivacyMask[],
): Promise<Thumbnail> {
  try {
    const image = (await openMasked(jpeg, masks)).resize({ width, withoutEnlargement: true }).jpeg({ quality });
    const { data, info } = await image.toBuffer({ resolveWithObject: true });
    return { jpeg: new Uint8Array(data), width: info.width, height: info.height };
  } catch (error) {
    throw corrupt(error);
  }
}

/** Each step of a picture that is too large for a seal: quality and width are taken down, in this order. */
const SMALLER = [
  { quality: 1, width: 1 },
  { quality: 0.7, width: 1 },
  { quality: 0.5, width: 0.75 },
  { quality: 0.4, width: 0.5 },
] as const;

/** A thumbnail of at most `maxBytes`, or null when even the smallest is larger. @throws SealcamError `frame-corrupt` */
export async function fitThumbnail(
  jpeg: Uint8Array,
  settings: PictureSettings,
  maxBytes: number,
): Promise<Thumbnail | null> {
  for (const step of SMALLER) {
    const width = Math.max(16, Math.round(settings.width * step.width));
    const quality = Math.max(20, Math.round(settings.quality * step.quality));
    const thumbnail = await makeThumbnail(jpeg, width, quality, settings.masks);
    if (thumbnail.jpeg.length <= maxBytes) return thumbnail;
  }
  return null;
}
