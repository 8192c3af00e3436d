import type { Clock } from '../../common/clock.js';
import { CameraUse } from './camera-use.js';

export interface LaneLimits {
  /** Messages of all cameras that wait or are being handled. */
  readonly waitingMax: number;
  readonly waitingBytesMax: number;
  /** The same of one camera. */
  readonly cameraWaitingMax: number;
  readonly cameraWaitingBytesMax: number;
  /** Busy cameras that are handled at the same time. */
  readonly busyAtOnceMax: number;
}

/** For a store in this process, where places give no more work a second. A camera has at most 8 messages without a receipt; a reconnect may send them once more. */
export const LANE_LIMITS: LaneLimits = {
  waitingMax: 4096,
  waitingBytesMax: 64 * 1024 * 1024,
  cameraWaitingMax: 32,
  cameraWaitingBytesMax: 4 * 1024 * 1024,
  busyAtOnceMax: 2,
};

/** Whether a message was taken; otherwise which bound it met. The camera sends it again. */
export type Admission = 'taken' | 'full' | 'camera-full';

interface Lane {
  readonly key: string;
  readonly queue: Job[];
  bytes: number;
  isRunning: boolean;
}

interface Job {
  readonly bytes: number;
  readonly work: () => Promise<void>;
}

/**
 * Runs work in order for each camera, and cameras side by side. No camera delays another: what waits is bounded for each,
 * and cameras that sent much lately (CameraUse) share a few places, the one that sent least first. All others start at once.
 */
export class Lanes {
  private readonly lanes = new Map<string, Lane>();
  private readonly busyWaiting: Lane[] = [];
  private readonly limits: LaneLimits;
  private readonly use: CameraUse;
  private readonly nextTurn: () => Promise<void>;
  private waitingCount = 0;
  private waitingBytes = 0;
  private busyRunning = 0;
  private readonly idlers: (() => void)[] = [];

  /** `nextTurn` resolves in a later turn of the event loop; omitted in worlds with a scheduler of their own. */
  constructor(clock: Clock, limits: Partial<LaneLimits> = {}, nextTurn: () => Promise<void> = () => Promise.resolve()) {
    this.limits = { ...LANE_LIMITS, ...limits };
    this.use = new CameraUse(clock);
    this.nextTurn = nextTurn;
  }

  get waiting(): number {
    return this.waitingCount;
  }

  /** Cameras that wait because they sent more than a camera does. */
  get busyCameras(): number {
    return this.busyWaiting.length + this.busyRunning;
  }

  /** Runs `work`, which must not reject, after all earlier work of this camera, unless there is no room. */
  run(key: string, bytes: number, work: () => Promise<void>): Admission {
    const { waitingMax, waitingBytesMax, cameraWaitingMax, cameraWaitingBytesMax } = this.limits;
    const lane = this.lanes.get(key) ?? { key, queue: [], bytes: 0, isRunning: false };
    const ofCamera = lane.queue.length + (lane.isRunning ? 1 : 0);
    if (ofCamera >= cameraWaitingMax || lane.bytes + bytes > cameraWaitingBytesMax) return 'camera-full';
    if (this.waitingCount >= waitingMax || this.waitingBytes + bytes > waitingBytesMax) return 'full';
    this.lanes.set(key, lane);
    lane.queue.push({ bytes, work });
    lane.bytes += bytes;
    this.waitingCount++;
    this.waitingBytes += bytes;
    if (ofCamera === 0) this.schedule(lane);
    return 'taken';
  }

  /** Resolves once nothing waits or runs. */
  async idle(): Promise<void> {
    if (this.lanes.size === 0) return;
    await new Promise<void>((resolve) => this.idlers.push(resolve));
  }

  /** Starts the lane's next message, or lets a busy camera wait for its place. */
  private schedule(lane: Lane): void {
    if (!this.use.isBusy(lane.key)) void this.handleNext(lane, false);
    else {
      this.busyWaiting.push(lane);
      this.startBusy();
    }
  }

  private startBusy(): void {
    while (this.busyRunning < this.limits.busyAtOnceMax) {
      const lane = this.leastBusy();
      if (lane === undefined) return;
      this.busyWaiting.splice(this.busyWaiting.indexOf(lane), 1);
      this.busyRunning++;
      void this.handleNext(lane, true);
    }
  }

  private leastBusy(): Lane | undefined {
    let least: Lane | undefined;
    let leastUse = Infinity;
    for (const lane of this.busyWaiting) {
      const use = this.use.of(lane.key);
      if (use >= leastUse) continue;
      least = lane;
      leastUse = use;
    }
    return least;
  }

  private async handleNext(lane: Lane, isBusy: boolean): Promise<void> {
    const job = lane.queue.shift();
    if (job === undefined) return;
    lane.isRunning = true;
    this.use.add(lane.key, job.bytes);
    // Also where all the work is synchronous, others' messages are read between two of one camera.
    await this.nextTurn();
    try {
      await job.work();
    } finally {
      lane.isRunning = false;
      lane.bytes -= job.bytes;
      this.waitingCount--;
      this.waitingBytes -= job.bytes;
      if (isBusy) this.busyRunning--;
      if (lane.queue.length > 0) this.schedule(lane);
      else this.lanes.delete(lane.key);
      this.startBusy();
      if (this.lanes.size === 0) for (const resolve of this.idlers.splice(0)) resolve();
    }
  }
}
