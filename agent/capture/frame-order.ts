/** After so many frames in a row that are older than one before, that one's time was wrong, not theirs. */
const BACKWARDS_MAX = 10;

/** Times of frames never run backwards; where they do, the frames are skipped, and after a while believed. */
export class FrameOrder {
  private latestMs = -Infinity;
  private backwards = 0;

  /** `restart`: everything that hangs on times before this one begins anew. */
  classify(timeMs: number): 'next' | 'skip' | 'restart' {
    if (timeMs >= this.latestMs) {
      this.latestMs = timeMs;
      this.backwards = 0;
      return 'next';
    }
    // A time that is no number is never believed.
    if (Number.isFinite(timeMs)) this.backwards++;
    if (this.backwards < BACKWARDS_MAX) return 'skip';
    this.latestMs = timeMs;
    this.backwards = 0;
    return 'restart';
  }
}
