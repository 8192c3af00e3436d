import { maskJpeg } from '../capture/jpeg.js';
import type { Config } from '../config/keys.js';
import { Looks, type LooksDependencies } from '../look/looks.js';

export interface LooksParts extends Omit<LooksDependencies, 'masked'> {
  readonly config: () => Config;
}

/** Makes what lets members look through the camera. */
export function looksOf({ config, ...parts }: LooksParts): Looks {
  return new Looks({
    ...parts,
    masked: async ({ jpeg }) => {
      const masks = config()['privacy.masks'];
      if (masks.length === 0) return jpeg;
      const bytes = await maskJpeg(jpeg, masks);
      return masks === config()['privacy.masks'] ? bytes : null;
    },
  });
}
