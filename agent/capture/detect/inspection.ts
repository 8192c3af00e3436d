import type { LumaPlane } from '../../../hal/camera.js';
import { boxOf, type Box } from './observation.js';
import type { Planes } from './kernel/layout.js';
import type { Nature, Track } from './track.js';

/** What the detector saw at one frame, for people to look at. */
export interface Inspection {
  readonly background: LumaPlane;
  /** 255 where the picture differs from the background. */
  readonly mask: LumaPlane;
  readonly patches: readonly { readonly box: Box; readonly nature: Nature; readonly area: number }[];
}

/** Copies background, mask and patches, since the planes change with the next frame. */
export function inspectionOf(planes: Planes, tracks: readonly Track[]): Inspection {
  const { width, height, stride } = planes.layout;
  const plane = (valueOf: (at: number) => number): LumaPlane => {
    const data = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[y * width + x] = valueOf(y * stride + x);
    return { width, height, data };
  };
  return {
    // Means are in 1/128 of a grey level.
    background: plane((at) => (planes.mean[at] ?? 0) >> 7),
    mask: plane((at) => ((planes.clean[at] ?? 0) === 0 ? 0 : 255)),
    patches: tracks.map(({ blob, nature }) => ({
      box: boxOf(blob, width, height),
      nature,
      area: blob.area / (width * height),
    })),
  };
}
