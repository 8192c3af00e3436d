import { join } from 'node:path';
import type { Clock } from '../../common/clock.js';
import type { Random } from '../../common/random.js';
import { FilesStore } from './files-store.js';
import type { MediaStore } from './media-store.js';
import { S3Store, type S3Settings } from './s3-store.js';
import { Staging } from './staging.js';

/** Values of the setting `media.kind`. */
export const MEDIA_KINDS = ['files', 's3'] as const;
export type MediaKind = (typeof MEDIA_KINDS)[number];

export interface MediaSettings {
  readonly kind: MediaKind;
  /** Of the bodies that arrive, and of all bodies where they are files. */
  readonly folder: string;
  /** Reads the settings of an S3 bucket; asked only where it is one. */
  readonly readS3: () => S3Settings;
}

/** The place of bodies, and the one where they arrive. */
export interface Media {
  readonly store: MediaStore;
  readonly staging: Staging;
}

/** Returns the place that the settings name. Nothing is opened before the first body. */
export function mediaOf(
  { kind, folder, readS3 }: MediaSettings,
  deps: { readonly clock: Clock; readonly random: Random },
): Media {
  return {
    store: kind === 's3' ? new S3Store(readS3(), deps.clock) : new FilesStore(join(folder, 'bodies')),
    staging: new Staging(join(folder, 'arriving'), deps),
  };
}
