import type { Planes } from './kernel/layout.js';

/** Keeps what a comparison changes, so that a look at a plane leaves no trace. Its memory is allocated once for each size. */
export class KeptPlanes {
  private readonly pairs: readonly {
    readonly plane: Uint8Array | Int16Array;
    readonly copy: Uint8Array | Int16Array;
  }[];

  constructor({ mask, flicker, last, shades }: Planes) {
    this.pairs = [mask, flicker, last, shades].map((plane) => ({ plane, copy: plane.slice() }));
  }

  keep(): void {
    for (const { plane, copy } of this.pairs) copy.set(plane);
  }

  restore(): void {
    for (const { plane, copy } of this.pairs) plane.set(copy);
  }
}
