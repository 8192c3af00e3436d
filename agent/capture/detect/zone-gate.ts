import type { Box } from './observation.js';
import type { Blob } from './kernel/blobs.js';
import { zoneMask, zonesOf, type MotionZone } from './zones.js';

export type ZoneVerdict = 'motion' | 'outside-zones' | 'small-for-zone';

/** A subject is the same object in each of its frames, and so a key of the weak map. */
interface Subject {
  readonly blob: Blob;
}

/**
 * Decides whether a subject counts where it is. Its size is the largest it ever had, so that a person who came near and
 * walks away again stays one event.
 */
export class ZoneGate {
  private readonly zones: readonly MotionZone[];
  private readonly pixels: number;
  private readonly stride: number;
  private readonly width: number;
  private readonly bits: Uint8Array;
  private readonly largest = new WeakMap<Subject, number>();

  constructor(
    zones: readonly MotionZone[],
    plane: { readonly width: number; readonly height: number },
    stride: number,
  ) {
    this.zones = zones;
    this.width = plane.width;
    this.pixels = plane.width * plane.height;
    this.stride = stride;
    this.bits = zoneMask(zones, plane.width, plane.height);
  }

  /** Returns whether at least `minPixels` of a subject lie in a zone, and whether it is large enough for that zone. */
  verdictOf(subject: Subject, minPixels: number): ZoneVerdict {
    const { blob } = subject;
    this.largest.set(subject, Math.max(blob.area, this.largest.get(subject) ?? 0));
    let largeEnoughBits = this.zones.length === 0 ? 1 : 0;
    for (const [i, zone] of this.zones.entries()) if (this.isLarge(subject, zone)) largeEnoughBits |= 1 << i;
    let inside = 0;
    let insideLarge = 0;
    for (const cell of blob.cells) {
      const y = Math.floor(cell / this.stride);
      const zonesHere = this.bits[y * this.width + (cell - y * this.stride)] ?? 0;
      if (zonesHere !== 0) inside++;
      if ((zonesHere & largeEnoughBits) !== 0) insideLarge++;
    }
    // A cell is 2×2 pixels.
    if (4 * insideLarge >= minPixels) return 'motion';
    return 4 * inside >= minPixels ? 'small-for-zone' : 'outside-zones';
  }

  /** Returns the names of the zones that a subject is in and large enough for, or is too small for. */
  names(subject: Subject, box: Box, isLarge: boolean): string[] {
    return zonesOf(
      this.zones.filter((zone) => this.isLarge(subject, zone) === isLarge),
      box,
    );
  }

  private isLarge(subject: Subject, { minArea = 0 }: MotionZone): boolean {
    return (this.largest.get(subject) ?? 0) * 100 >= minArea * this.pixels;
  }
}
