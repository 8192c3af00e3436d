import type { Frame } from '../camera.js';

const QUEUE_MAX_FRAMES = 4;
const QUEUE_MAX_BYTES = 16 * 1024 * 1024;

/** Frames between a camera that does not wait and a reader that may be late. The oldest are dropped, never the newest. */
export class FrameQueue {
  dropped = 0;
  private readonly frames: Frame[] = [];
  private bytes = 0;
  private failure: Error | null = null;
  private isClosed = false;
  private wake: () => void = () => undefined;

  /** Adds a frame, and drops the oldest ones beyond the limits. */
  push(frame: Frame): void {
    if (this.isClosed) return;
    this.frames.push(frame);
    this.bytes += frame.jpeg.length;
    while (this.frames.length > QUEUE_MAX_FRAMES || (this.bytes > QUEUE_MAX_BYTES && this.frames.length > 1)) {
      this.bytes -= this.frames.shift()?.jpeg.length ?? 0;
      this.dropped++;
    }
    this.wake();
  }

  /** Ends the stream after the frames in the queue, with an error if `failure` is set. Only the first call counts. */
  close(failure: Error | null): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.failure = failure;
    this.wake();
  }

  /** Returns the next frame; undefined once the queue was closed without a failure. */
  async next(): Promise<Frame | undefined> {
    while (this.frames.length === 0) {
      if (this.failure !== null) throw this.failure;
      if (this.isClosed) return undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const frame = this.frames.shift();
    this.bytes -= frame?.jpeg.length ?? 0;
    return frame;
  }
}
