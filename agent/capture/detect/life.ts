import type { Planes } from './kernel/layout.js';
import type { Track } from './track.js';

/** Pictures this far apart are compared. */
const INTERVAL_MS = 1000;
/** What lives changes more than this many times as much as the picture around it. */
const CHANGE_MIN_FACTOR = 1.6;
/** No picture is steadier than this; eighths of a grey level. */
const STEADY_MIN = 3;
/** Distance of the pixels that stand for the picture. */
const STEP_PIXELS = 3;

/**
 * Distinguishes who stands from what was parked. Nobody keeps so still that edges do not breathe; a car changes from one
 * second to the next no more than the rest of the picture, which has the same noise and the same compression.
 */
export class LifeWatch {
  private readonly before: Int16Array;
  private comparedMs = -Infinity;

  constructor(pixels: number) {
    this.before = new Int16Array(pixels);
  }

  /** Notes activity in the tracks that live. The background does not learn under objects, so differences from it compare. */
  inspectTracks(timeMs: number, planes: Planes, tracks: readonly Track[]): void {
    const elapsedMs = timeMs - this.comparedMs;
    if (elapsedMs < INTERVAL_MS) return;
    if (elapsedMs < 3 * INTERVAL_MS) {
      const usual = Math.max(STEADY_MIN, this.changeAround(planes));
      for (const track of tracks) {
        const change = this.changeIn(track, planes);
        if (change > CHANGE_MIN_FACTOR * usual) track.activeMs = timeMs;
      }
    }
    this.before.set(planes.difference);
    this.comparedMs = timeMs;
  }

  /** Mean change of the pixels that do not differ from the background. */
  private changeAround({ difference, mask, layout }: Planes): number {
    const { stride, width, height } = layout;
    let sum = 0;
    let count = 0;
    for (let y = 1; y < height - 1; y += STEP_PIXELS) {
      for (let i = y * stride + 1; i < y * stride + width - 1; i += STEP_PIXELS) {
        if (mask[i] !== 0) continue;
        sum += Math.abs((difference[i] ?? 0) - (this.before[i] ?? 0));
        count++;
      }
    }
    return count === 0 ? 0 : sum / count;
  }

  private changeIn({ blob }: Track, { difference, clean, layout }: Planes): number {
    const { stride } = layout;
    let sum = 0;
    let count = 0;
    for (const cell of blob.cells) {
      for (const i of [cell, cell + 1, cell + stride, cell + stride + 1]) {
        if (clean[i] === 0) continue;
        sum += Math.abs((difference[i] ?? 0) - (this.before[i] ?? 0));
        count++;
      }
    }
    return count === 0 ? 0 : sum / count;
  }
}
