/** After this many frames in a row that are older than one before them, the time of that one was wrong. */
const BACKWARDS_MAX_FRAMES = 10;

/** Guards that times of frames never run backwards: it skips such frames, and after a while accepts their time. */
export class FrameOrder {
  private latestMs = -Infinity;
  private backwards = 0;

  /** Classifies a frame by its time. `restart`: everything that depends on earlier times must start again. */
  classify(timeMs: number): 'next' | 'skip' | 'restart' {
    if (timeMs >= this.latestMs) {
      this.latestMs = timeMs;
      this.backwards = 0;
      return 'next';
    }
    // A time that is not a number is never accepted.
    if (Number.isFinite(timeMs)) this.backwards++;
    if (this.backwards < BACKWARDS_MAX_FRAMES) return 'skip';
    this.latestMs = timeMs;
    this.backwards = 0;
    return 'restart';
  }
}
