import type { Indicator, IndicatorState } from '../../hal/peripherals.js';
import type { CameraState } from '../capture/camera-loop.js';
import type { CameraSession } from '../capture/camera-session.js';
import type { CaptureSettings } from '../capture/capture.js';
import type { StandingOrders } from '../ownership/standing-orders.js';

export interface PrivacyDependencies {
  readonly camera: Pick<CameraSession, 'isStopped' | 'configure' | 'start' | 'stop'>;
  readonly indicator: Pick<Indicator, 'show'>;
  readonly orders: { readonly standing: StandingOrders };
  readonly captureSettings: (orders: StandingOrders) => CaptureSettings;
  readonly hasOwner: () => boolean;
  /** While it is open, the indicator shows the claim window. */
  readonly isClaimWindowOpen: () => boolean;
  readonly cameraState: () => CameraState;
  readonly recordHealth: () => void;
  /** Privacy begins: nothing that was filmed before is kept in memory. */
  readonly wipeVideo: () => void;
}

/**
 * Applies the owner's standing orders to the camera. Under privacy no frame is taken, whatever else is asked for, and the
 * indicator shows it.
 */
export class Privacy {
  private readonly deps: PrivacyDependencies;
  private isRunning = false;

  constructor(deps: PrivacyDependencies) {
    this.deps = deps;
  }

  get isOn(): boolean {
    return this.deps.orders.standing.privacy;
  }

  /** Starts the camera unless the owner ordered privacy. */
  start(): void {
    this.isRunning = true;
    if (!this.isOn) this.deps.camera.start();
  }

  /** Stops the camera for good. Resolves when it is stopped. */
  stop(): Promise<void> {
    this.isRunning = false;
    return this.deps.camera.stop();
  }

  /** Applies orders that changed, or the orders of a new owner. */
  applyOrders(orders: StandingOrders): void {
    const { camera, captureSettings, recordHealth } = this.deps;
    camera.configure(captureSettings(orders));
    this.showRestingState();
    if (!this.isRunning || orders.privacy === camera.isStopped) return;
    if (orders.privacy) {
      this.deps.wipeVideo();
      void camera.stop();
    } else camera.start();
    // Now rather than at the next interval: the owner who gave the order waits for its effect.
    recordHealth();
  }

  /** Returns what the indicator shows while no claim window is open. */
  restingState(): IndicatorState {
    if (this.isOn) return 'privacy';
    // A camera that does not see must not look as if it recorded.
    const state = this.deps.cameraState();
    if (state === 'stalled' || state === 'absent') return 'fault';
    return this.deps.hasOwner() ? 'recording' : 'off';
  }

  showRestingState(): void {
    if (!this.deps.isClaimWindowOpen()) this.deps.indicator.show(this.restingState());
  }
}
