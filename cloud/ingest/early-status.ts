import { toHex } from '../../common/bytes.js';
import type { CameraStatus } from '../store/store.js';

/** Cameras without a claim whose status is kept. Anybody may send one, so the oldest makes room for the newest. */
const CAMERAS_MAX = 1000;

/**
 * Keeps in memory what cameras without a claim said of themselves: a camera says that it is online once, when it connects,
 * which is before its owner claims it.
 */
export class EarlyStatus {
  private readonly byDevice = new Map<string, CameraStatus>();

  put(device: Uint8Array, status: CameraStatus): void {
    const name = toHex(device);
    this.byDevice.delete(name);
    this.byDevice.set(name, status);
    const [oldest] = this.byDevice.keys();
    if (this.byDevice.size > CAMERAS_MAX && oldest !== undefined) this.byDevice.delete(oldest);
  }

  /** Returns the newest status of a camera, and forgets it. */
  remove(device: Uint8Array): CameraStatus | undefined {
    const name = toHex(device);
    const status = this.byDevice.get(name);
    this.byDevice.delete(name);
    return status;
  }
}
