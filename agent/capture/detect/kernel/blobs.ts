import type { Planes } from './layout.js';

/** A connected patch of marked pixels; the box is in pixels and inclusive. */
export interface Blob {
  readonly area: number;
  /** Those of its pixels that changed since the frame before. */
  readonly active: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Its cells of 2×2 pixels, each as the index of its upper left pixel in the plane. */
  readonly cells: readonly number[];
}

/**
 * Finds connected patches in the plane `clean`. It works on cells of 2×2 pixels, which is a quarter of the work and joins
 * pieces of a person that are up to three pixels apart.
 */
export class BlobFinder {
  private readonly planes: Pick<Planes, 'clean' | 'active' | 'layout'>;
  private readonly cellsX: number;
  private readonly cellsY: number;
  /** 1 where a cell is marked and not visited; a border of zeros saves the checks at the edges. */
  private readonly open: Uint8Array;

  constructor(planes: Pick<Planes, 'clean' | 'active' | 'layout'>) {
    this.planes = planes;
    this.cellsX = planes.layout.stride >> 1;
    this.cellsY = planes.layout.height >> 1;
    this.open = new Uint8Array((this.cellsX + 2) * (this.cellsY + 2));
  }

  /** Returns at most `countMax` patches of at least `minArea` pixels, largest first. */
  find(minArea: number, countMax: number): Blob[] {
    const { cellsX, cellsY, open } = this;
    const { clean, layout } = this.planes;
    const pairs = new Uint16Array(clean.buffer, clean.byteOffset, clean.length >> 1);
    const rowLength = cellsX + 2;
    const starts: number[] = [];
    for (let y = 0; y < cellsY; y++) {
      for (let x = 0, at = y * 2 * cellsX; x < cellsX; x++, at++) {
        if (((pairs[at] ?? 0) | (pairs[at + cellsX] ?? 0)) === 0) continue;
        const cell = (y + 1) * rowLength + x + 1;
        open[cell] = 1;
        starts.push(cell);
      }
    }
    const blobs: Blob[] = [];
    for (const start of starts) {
      if (open[start] === 0) continue;
      const blob = this.fillFrom(start, rowLength, layout.stride);
      if (blob.area >= minArea) blobs.push(blob);
    }
    return blobs.sort((a, b) => b.area - a.area).slice(0, countMax);
  }

  /** Collects all cells that are connected to `start`, and clears them in `open`. */
  private fillFrom(start: number, rowLength: number, stride: number): Blob {
    const { open } = this;
    const { clean, active } = this.planes;
    const stack = [start];
    const cells: number[] = [];
    open[start] = 0;
    let area = 0;
    let changed = 0;
    let left = stride;
    let right = 0;
    let top = Infinity;
    let bottom = 0;
    for (let cell = stack.pop(); cell !== undefined; cell = stack.pop()) {
      const y = Math.floor(cell / rowLength) - 1;
      const x = cell - (y + 1) * rowLength - 1;
      const at = 2 * (y * stride + x);
      cells.push(at);
      for (const i of [at, at + 1, at + stride, at + stride + 1]) {
        const marked = clean[i] ?? 0;
        area += marked;
        changed += marked & (active[i] ?? 0);
      }
      if (2 * x < left) left = 2 * x;
      if (2 * x + 1 > right) right = 2 * x + 1;
      if (2 * y < top) top = 2 * y;
      if (2 * y + 1 > bottom) bottom = 2 * y + 1;
      for (const row of [cell - rowLength, cell, cell + rowLength]) {
        for (let near = row - 1; near <= row + 1; near++) {
          if (open[near] === 0) continue;
          open[near] = 0;
          stack.push(near);
        }
      }
    }
    return { area, active: changed, left, top, right, bottom, cells };
  }
}
