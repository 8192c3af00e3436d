import type { LumaPlane } from '../../hal/camera.js';

/** What the last attempts to read a frame show. */
export type Sight =
  | { readonly type: 'unchanged' }
  /** The camera does not see: most frames cannot be decoded, or each is of one colour. */
  | { readonly type: 'lost'; readonly reason: 'undecodable' | 'featureless' }
  | { readonly type: 'regained'; readonly durationMs: number };

const UNCHANGED: Sight = { type: 'unchanged' };
/** Attempts that are looked back on, and how many there must be. */
const ATTEMPTS_MAX = 20;
const ATTEMPTS_MIN = 5;
/** Sight is lost when this share of them fails, and back when no more than the second does. */
const LOST_SHARE = 0.5;
const REGAINED_SHARE = 0.25;
/** Levels of brightness; a lens cap or a dead sensor differs no more, while any scene and any noise does. */
const FLAT_LEVELS = 3;
const FLAT_MS = 30_000;

/** Judges by decoded frames whether the camera sees: frames that merely arrive show nothing. */
export class SightWatch {
  private readonly failed: boolean[] = [];
  private flatSinceMs: number | null = null;
  private lostSinceMs: number | null = null;
  private decoded = 0;

  /** Whether at least one frame was decoded. */
  get hasSeen(): boolean {
    return this.decoded > 0;
  }

  get isLost(): boolean {
    return this.lostSinceMs !== null;
  }

  /** Adds an attempt to read a frame; null if it could not be decoded. */
  add(luma: LumaPlane | null, atMs: number): Sight {
    this.failed.push(luma === null);
    if (this.failed.length > ATTEMPTS_MAX) this.failed.shift();
    if (luma !== null) {
      this.decoded++;
      this.flatSinceMs = isFlat(luma) ? (this.flatSinceMs ?? atMs) : null;
    }
    const share = this.failed.filter(Boolean).length / this.failed.length;
    const isFeatureless = this.flatSinceMs !== null && atMs - this.flatSinceMs >= FLAT_MS;
    if (this.lostSinceMs === null) {
      const isUndecodable = this.failed.length >= ATTEMPTS_MIN && share >= LOST_SHARE;
      if (!isUndecodable && !isFeatureless) return UNCHANGED;
      this.lostSinceMs = atMs;
      return { type: 'lost', reason: isUndecodable ? 'undecodable' : 'featureless' };
    }
    // After the camera was opened again the time of a flat picture is counted again, the sight is still lost.
    if (share > REGAINED_SHARE || this.flatSinceMs !== null) return UNCHANGED;
    const durationMs = Math.max(0, Math.round(atMs - this.lostSinceMs));
    this.lostSinceMs = null;
    return { type: 'regained', durationMs };
  }
}

/** Stops at the first pixel that differs enough, which in a real picture is among the first. */
function isFlat({ data }: LumaPlane): boolean {
  let least = data[0] ?? 0;
  let most = least;
  for (const level of data) {
    if (level < least) least = level;
    else if (level > most) most = level;
    if (most - least > FLAT_LEVELS) return false;
  }
  return true;
}
