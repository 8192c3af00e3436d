import type { Blob } from './kernel/blobs.js';

/** What a patch is taken for: only an `object` may raise an event. `unknown` is not decided yet. */
export type Nature = 'unknown' | 'object' | 'light' | 'hole' | 'erratic';

/** A patch that is found again from frame to frame. */
export interface Track {
  /** Each subject has its own number. */
  id: number;
  blob: Blob;
  firstMs: number;
  firstFrame: number;
  lastMs: number;
  hits: number;
  /** Frames since the first in which it was not found. */
  misses: number;
  /** When something in it last changed. */
  activeMs: number;
  /** Farthest distance of its middle from where it was first seen, in pixels. */
  travel: number;
  /** Length of the way its middle took, in pixels. */
  path: number;
  /** The last step of its middle, in pixels per millisecond; null before the first. */
  velocity: readonly [number, number] | null;
  /** How often it was found where it had been, in part at least, or where its last step would have led it. */
  overlaps: number;
  /** The share of such hits as a slow mean, 0 to 1. */
  steady: number;
  /** Slow means of the evidence. */
  texture: number;
  steepness: number;
  novelty: number;
  /** Slow mean of the share of its difference that is left when the background is moved under it, by area; 1 before the first. */
  foreign: number;
  /** Area of the comparisons in that mean; 0 before the first. */
  comparedArea: number;
  comparedMs: number;
  /** It touched the edge of the picture, or is part of what did. */
  entered: boolean;
  /** It once was an object that came from elsewhere. */
  moved: boolean;
  nature: Nature;
  startX: number;
  startY: number;
}
