import type { Box } from './observation.js';
import type { Blob } from './kernel/blobs.js';
import { zoneMask, zonesOf, type MotionZone } from './zones.js';

export type ZoneVerdict = 'motion' | 'outside-zones' | 'small-for-zone';

/** Follows a subject: the same object in each of its frames. */
interface Subject {
  readonly blob: Blob;
}

/**
 * Whether what moves counts where it is. A subject is as large as it was at its largest, so that who came near and walks
 * away again stays one event.
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

  /** `least` pixels inside make a patch. */
  verdictOf(subject: Subject, least: number): ZoneVerdict {
    const { blob } = subject;
    this.largest.set(subject, Math.max(blob.area, this.largest.get(subject) ?? 0));
    let large = this.zones.length === 0 ? 1 : 0;
    for (const [i, zone] of this.zones.entries()) if (this.isLarge(subject, zone)) large |= 1 << i;
    let [inside, insideLarge] = [0, 0];
    for (const cell of blob.cells) {
      const y = Math.floor(cell / this.stride);
      const zonesHere = this.bits[y * this.width + (cell - y * this.stride)] ?? 0;
      if (zonesHere !== 0) inside++;
      if ((zonesHere & large) !== 0) insideLarge++;
    }
    // A cell is four pixels.
    if (4 * insideLarge >= least) return 'motion';
    return 4 * inside >= least ? 'small-for-zone' : 'outside-zones';
  }

  /** The zones that it is in and large enough for, or those that it is too small for. */
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
