import type { Camera, CameraInfo, Frame } from './camera.js';
import { Listeners } from './listeners.js';
import type { Unsubscribe } from './peripherals.js';

/** A camera whose frames go to a second reader as well. */
export class FrameTap implements Camera {
  private readonly camera: Camera;
  private readonly frameListeners = new Listeners<[frame: Frame]>();
  private readonly endListeners = new Listeners<[]>();

  constructor(camera: Camera) {
    this.camera = camera;
  }

  open(signal: AbortSignal): Promise<CameraInfo> {
    return this.camera.open(signal);
  }

  async *frames(signal: AbortSignal): AsyncIterable<Frame> {
    try {
      for await (const frame of this.camera.frames(signal)) {
        this.frameListeners.call(frame);
        yield frame;
      }
    } finally {
      this.endListeners.call();
    }
  }

  still(signal: AbortSignal): Promise<Frame> {
    return this.camera.still(signal);
  }

  close(): Promise<void> {
    return this.camera.close();
  }

  /** Calls `onFrame` for each frame before its reader has it, and `onEnd` when the frames end. */
  listen(onFrame: (frame: Frame) => void, onEnd: () => void): Unsubscribe {
    const leave = [this.frameListeners.add(onFrame), this.endListeners.add(onEnd)];
    return () => {
      for (const each of leave) each();
    };
  }
}
