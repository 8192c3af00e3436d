import { equal } from '../../common/bytes.js';
import type { Frame } from '../../hal/camera.js';

/** So long the same bytes: no sensor is that quiet, whatever it looks at. */
const FROZEN_MS = 5000;

export type Freeze =
  /** A new picture. */
  | { readonly type: 'live' }
  /** The same bytes as the frame before; nothing can be seen in it that was not seen in that one. */
  | { readonly type: 'repeat' }
  /** The same bytes for so long that it must be said; once in every freeze. */
  | { readonly type: 'froze' }
  /** A new picture at last. */
  | { readonly type: 'thawed'; readonly durationMs: number };

/** Tells a stream that hangs somewhere before us, and repeats its last picture, from a quiet scene. */
export class FreezeWatch {
  private before: Frame | null = null;
  private sinceMs = 0;
  private frozen = false;

  get isFrozen(): boolean {
    return this.frozen;
  }

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

/** Different pictures differ within their first thousand bytes, so this costs nothing while all is well. */
function isEqual(a: Frame, b: Frame): boolean {
  if (!equal(a.jpeg, b.jpeg)) return false;
  return a.luma === undefined || b.luma === undefined ? a.luma === b.luma : equal(a.luma.data, b.luma.data);
}
