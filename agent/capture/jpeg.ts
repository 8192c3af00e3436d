import sharp, { type Sharp } from 'sharp';
import { SealcamError } from '../../common/errors.js';
import type { LumaPlane } from '../../hal/camera.js';
import type { Box } from './detect/observation.js';
import { badPicture, readHeader } from './jpeg-header.js';
import { blackOut, type PrivacyMask } from './detect/masks.js';

/** One libvips thread and no cache: on a small ARM core more only cost memory. Called once by the composition root. */
export function configureImages(): void {
  sharp.concurrency(1);
  sharp.cache(false);
}

/** Upright, whatever the orientation tag says: plane, zones, box and picture are of one view. */
function open(jpeg: Uint8Array): Sharp {
  readHeader(jpeg);
  return sharp(jpeg, { failOn: 'truncated', limitInputPixels: false }).autoOrient();
}

function corrupt(cause: unknown): SealcamError {
  if (cause instanceof SealcamError) return cause;
  const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : 'unknown';
  const isShort = /premature end|truncat|out of data/i.test(why);
  return badPicture(isShort ? 'truncated' : 'undecodable', `a frame that cannot be decoded: ${why}`, cause);
}

/** The grey plane that detection looks at, `width` pixels wide or as wide as the picture is. @throws SealcamError `frame-corrupt` */
export async function decodeLuma(jpeg: Uint8Array, width: number): Promise<LumaPlane> {
  try {
    const image = open(jpeg).toColourspace('b-w').resize({ width, withoutEnlargement: true, fastShrinkOnLoad: true });
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    if (info.channels !== 1) throw badPicture('undecodable', `a grey plane of ${String(info.channels)} channels`);
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

/** @throws SealcamError `frame-corrupt` */
export async function makeThumbnail(
  jpeg: Uint8Array,
  width: number,
  quality: number,
  masks: readonly PrivacyMask[],
): Promise<Thumbnail> {
  return (await decodePicture(jpeg, width, masks, null))(1, quality);
}

/** Each step of a picture that takes too many bytes: quality and width are taken down, in this order. */
const SMALLER = [
  { quality: 1, width: 1 },
  { quality: 0.85, width: 1 },
  { quality: 0.7, width: 1 },
  { quality: 0.5, width: 0.75 },
  { quality: 0.4, width: 0.5 },
  { quality: 0.3, width: 0.35 },
] as const;
const QUALITY_MIN = 20;

/**
 * A thumbnail of at most `maxBytes`, or null when even the smallest is larger; of the whole picture or a part of it.
 * @throws SealcamError `frame-corrupt`
 */
export async function fitThumbnail(
  jpeg: Uint8Array,
  settings: PictureSettings,
  maxBytes: number,
  crop: Box | null = null,
): Promise<Thumbnail | null> {
  const encode = await decodePicture(jpeg, settings.width, settings.masks, crop);
  for (const step of SMALLER) {
    const thumbnail = await encode(step.width, Math.max(QUALITY_MIN, Math.round(settings.quality * step.quality)));
    if (thumbnail.jpeg.length <= maxBytes) return thumbnail;
  }
  return null;
}

type Encode = (scale: number, quality: number) => Promise<Thumbnail>;

/** Decodes once, at the size that is wanted; what it gives compresses that as often as it takes. */
async function decodePicture(
  jpeg: Uint8Array,
  width: number,
  masks: readonly PrivacyMask[],
  crop: Box | null,
): Promise<Encode> {
  try {
    const whole = await openMasked(jpeg, masks);
    const image = crop === null ? whole.resize({ width, withoutEnlargement: true }) : await partOf(whole, width, crop);
    // Three channels also of greyscale and CMYK, so that every thumbnail can be shown by a browser.
    const decoded = await image.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
    const { width: wide, height: high, channels } = decoded.info;
    return async (scale, quality) => {
      const raw = sharp(decoded.data, { raw: { width: wide, height: high, channels } });
      const small = scale === 1 ? raw : raw.resize({ width: Math.max(16, Math.round(wide * scale)) });
      const { data, info } = await small.jpeg({ quality }).toBuffer({ resolveWithObject: true });
      return { jpeg: new Uint8Array(data), width: info.width, height: info.height };
    };
  } catch (error) {
    throw corrupt(error);
  }
}

/**
 * The upright picture, black under its masks before anything else is made of it: no resampling sees what is there.
 * Every picture that leaves the camera begins here.
 */
async function openMasked(jpeg: Uint8Array, masks: readonly PrivacyMask[]): Promise<Sharp> {
  if (masks.length === 0) return open(jpeg);
  const pixels = open(jpeg).toColourspace('srgb').removeAlpha().raw();
  const { data, info } = await pixels.toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  blackOut(data, { width, height, channels }, masks);
  // The header's bound on the size stood before; raw pixels have no header.
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
}

/** A part of the picture: without masks the whole is scaled while it is decoded, and the part alone is in memory at its full size. */
async function partOf(image: Sharp, width: number, crop: Box): Promise<Sharp> {
  const { autoOrient: whole } = await image.metadata();
  const wide = Math.min(whole.width, Math.ceil(width / crop.width));
  const high = Math.max(1, Math.round((whole.height * wide) / whole.width));
  const [left, top] = [Math.floor(crop.left * wide), Math.floor(crop.top * high)];
  return image.resize({ width: wide, height: high, fit: 'fill' }).extract({
    left,
    top,
    width: Math.max(1, Math.min(wide - left, Math.round(crop.width * wide))),
    height: Math.max(1, Math.min(high - top, Math.round(crop.height * high))),
  });
}
