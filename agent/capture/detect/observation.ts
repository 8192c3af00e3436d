import type { Blob } from './kernel/blobs.js';
import type { SceneChange } from './scene-watch.js';

/** In fractions of the picture. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Returns the box of a patch on a plane of this size; its right and bottom pixels are included. */
export function boxOf({ left, top, right, bottom }: Blob, width: number, height: number): Box {
  return {
    left: left / width,
    top: top / height,
    width: (Math.min(width, right + 1) - left) / width,
    height: (Math.min(height, bottom + 1) - top) / height,
  };
}

export type Reason =
  | 'motion'
  | 'still'
  | 'starting'
  | 'light'
  | 'too-small'
  | 'too-short'
  | 'outside-zones'
  | 'small-for-zone'
  | 'off-schedule'
  | 'resized'
  | 'erratic'
  | 'left';

/** What the detector finds in one frame. */
export interface Observation {
  readonly motion: boolean;
  /** Why it counts as motion, or why not; reasons.ts has the words for people. */
  readonly reason: Reason;
  /** Fraction of the picture that moves. */
  readonly area: number;
  readonly box: Box | null;
  readonly zones: readonly string[];
  /** Numbers of the tracks that move; a new number is another subject. */
  readonly subjects: readonly number[];
  /** Frame in which the moving track was first seen; this frame where nothing moves. */
  readonly sinceFrame: number;
  readonly sinceMs: number;
  /** The whole scene changed with this frame. */
  readonly scene: SceneChange | null;
}
