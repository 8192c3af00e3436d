import { at } from './plane.js';

export interface BackgroundSettings {
  /** Least difference that counts, in grey levels. */
  readonly floor: number;
  /** Deviations of the usual noise that count. */
  readonly deviations: number;
}

/** How fast the model follows, as time constants in milliseconds. */
const FOLLOW_MS = 6000;
const FOLLOW_FOREGROUND_MS = 40_000;
const DEVIATION_MS = 8000;
const FLICKER_MS = 20_000;
const DEVIATION_START = 4;
const DEVIATION_MIN = 0.8;
/** A marked pixel that did not change for this long is no longer something that moves; it is learned like the rest. */
const STILL_MS = 6000;
/** Changes to foreground and back that a passing object makes; more of them are leaves or water. */
const FLICKER_FREE = 3;
const FLICKER_WEIGHT = 0.35;

/**
 * The picture without what moves: per pixel a running mean, the usual deviation from it, and how often it flickers.
 * A pixel of the foreground is taken into the background slowly, so that somebody who stands still stays seen.
 */
export class Background {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
  readonly flicker: Float32Array;
  /** Difference of the last frame to the mean, illumination taken out. */
  readonly difference: Float32Array;
  /** 1 where the last frame differs by more than the threshold. */
  readonly mask: Uint8Array;
  /** Milliseconds since the pixel last changed from one frame to the next. */
  readonly stillMs: Float32Array;
  private readonly last: Uint8Array;
  private readonly previous: Uint8Array;

  constructor(first: Uint8Array) {
    this.mean = Float32Array.from(first);
    this.deviation = new Float32Array(first.length).fill(DEVIATION_START);
    this.flicker = new Float32Array(first.length);
    this.difference = new Float32Array(first.length);
    this.mask = new Uint8Array(first.length);
    this.stillMs = new Float32Array(first.length);
    this.last = Uint8Array.from(first);
    this.previous = new Uint8Array(first.length);
  }

  /** Marks what differs. `difference` must hold frame − mean − illumination. Returns the number of marked pixels. */
  classify(frame: Uint8Array, elapsedMs: number, settings: BackgroundSettings): number {
    const { difference, deviation, flicker, mask, previous, stillMs, last } = this;
    previous.set(mask);
    let count = 0;
    for (let i = 0; i < mask.length; i++) {
      const restless = Math.max(0, at(flicker, i) - FLICKER_FREE) * FLICKER_WEIGHT;
      const threshold = Math.max(settings.floor, settings.deviations * at(deviation, i)) * (1 + restless);
      const marked = Math.abs(at(difference, i)) > threshold ? 1 : 0;
      const changed = Math.abs(at(frame, i) - at(last, i)) * 2 > threshold;
      stillMs[i] = changed ? 0 : at(stillMs, i) + elapsedMs;
      mask[i] = marked;
      count += marked;
    }
    last.set(frame);
    return count;
  }

  /** Learns from the last classified frame. */
  learn(frame: Uint8Array, elapsedMs: number, haste: number): void {
    const { mean, deviation, flicker, difference, mask, previous, stillMs } = this;
    const follow = Math.min(1, (elapsedMs * haste) / FOLLOW_MS);
    const followForeground = Math.min(1, (elapsedMs * haste) / FOLLOW_FOREGROUND_MS);
    const spread = Math.min(1, (elapsedMs * haste) / DEVIATION_MS);
    const calm = Math.max(0, 1 - elapsedMs / FLICKER_MS);
    for (let i = 0; i < mean.length; i++) {
      const marked = at(mask, i);
      mean[i] =
        at(mean, i) +
        (at(frame, i) - at(mean, i)) * (marked === 1 && at(stillMs, i) < STILL_MS ? followForeground : follow);
      if (marked === 0) {
        const usual = at(deviation, i) + (Math.abs(at(difference, i)) - at(deviation, i)) * spread;
        deviation[i] = Math.max(DEVIATION_MIN, usual);
      }
      flicker[i] = at(flicker, i) * calm + (marked === at(previous, i) ? 0 : 1);
    }
  }

  /** Starts anew from this picture, keeping what is known of noise. */
  reset(frame: Uint8Array): void {
    this.mean.set(frame);
    this.mask.fill(0);
    this.difference.fill(0);
  }
}
