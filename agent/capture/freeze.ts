import { equal } from '../../common/bytes.js';
import type { Frame } from '../../hal/camera.js';

/** The same bytes for this long are a frozen stream: no sensor is without noise. */
const FROZEN_MS = 5000;

export type Freeze =
  /** A new picture. */
  | { readonly type: 'live' }
  /** The same bytes as the frame before. */
  | { readonly type: 'repeat' }
  /** The same bytes for {@link FROZEN_MS}; returned once per freeze. */
  | { readonly type: 'froze' }
  /** A new picture after a freeze. */
  | { readonly type: 'thawed'; readonly durationMs: number };

/** Finds a stream that hangs upstream and repeats its last picture; a quiet scene still has noise. */
export class FreezeWatch {
  private before: Frame | null = null;
  private sinceMs = 0;
  private frozen = false;

  get isFrozen(): boolean {
    return this.frozen;
  }

  /** Adds a frame, and returns how it compares with the one before. */
  inspectFrame(frame: Frame): Freeze {
    const isSame = this.before !== null && isEqual(this.before, frame);
    this.before = frame;
    if (!isSame) {
      const durationMs = Math.max(0, Math.round(frame.monotonicMs - this.sinceMs));
      const wasFrozen = this.frozen;
      this.sinceMs = frame.monotonicMs;
      this.frozen = false;
      return wasFrozen ? { type: 'thawed', durationMs } : { type: 'live' };
    }
    if (this.frozen || frame.monotonicMs - this.sinceMs < FROZEN_MS) return { type: 'repeat' };
    this.frozen = true;
    return { type: 'froze' };
  }
}

/** Compares bytes. Different pictures differ within their first thousand bytes, so this is cheap for a live stream. */
function isEqual(a: Frame, b: Frame): boolean {
  if (!equal(a.jpeg, b.jpeg)) return false;
  return a.luma === undefined || b.luma === undefined ? a.luma === b.luma : equal(a.luma.data, b.luma.data);
}
