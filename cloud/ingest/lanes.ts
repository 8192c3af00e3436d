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

/** Messages of a camera that are handled together. A busy camera's are handled one by one. */
const BATCH_MAX = 8;

interface Lane<T> {
  readonly key: string;
  readonly queue: Job<T>[];
  bytes: number;
  running: number;
}

interface Job<T> {
  readonly bytes: number;
  readonly item: T;
}

/**
 * Handles messages in order for each camera, and cameras side by side. No camera delays another: what waits is bounded for each,
 * and cameras that sent much lately (CameraUse) share a few places, the one that sent least first. All others start at once.
 */
export class Lanes<T> {
  private readonly lanes = new Map<string, Lane<T>>();
  private readonly busyWaiting: Lane<T>[] = [];
  private readonly handle: (items: readonly T[]) => Promise<void>;
  private readonly limits: LaneLimits;
  private readonly use: CameraUse;
  private readonly nextTurn: () => Promise<void>;
  private waitingCount = 0;
  private waitingBytes = 0;
  private busyRunning = 0;
  private readonly idlers: (() => void)[] = [];

  /**
   * @param handle handles messages of one camera that waited; must not reject
   * @param nextTurn resolves in a later turn of the event loop; omitted in worlds with a scheduler of their own
   */
  constructor(
    handle: (items: readonly T[]) => Promise<void>,
    clock: Clock,
    limits: Partial<LaneLimits> = {},
    nextTurn: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.handle = handle;
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

  /** Handles a message after all earlier ones of this camera, unless there is no room. */
  run(key: string, bytes: number, item: T): Admission {
    const { waitingMax, waitingBytesMax, cameraWaitingMax, cameraWaitingBytesMax } = this.limits;
    const lane = this.lanes.get(key) ?? { key, queue: [], bytes: 0, running: 0 };
    const ofCamera = lane.queue.length + lane.running;
    if (ofCamera >= cameraWaitingMax || lane.bytes + bytes > cameraWaitingBytesMax) return 'camera-full';
    if (this.waitingCount >= waitingMax || this.waitingBytes + bytes > waitingBytesMax) return 'full';
    this.lanes.set(key, lane);
    lane.queue.push({ bytes, item });
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
  private schedule(lane: Lane<T>): void {
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

  private leastBusy(): Lane<T> | undefined {
    let least: Lane<T> | undefined;
    let leastUse = Infinity;
    for (const lane of this.busyWaiting) {
      const use = this.use.of(lane.key);
      if (use >= leastUse) continue;
      least = lane;
      leastUse = use;
    }
    return least;
  }

  private async handleNext(lane: Lane<T>, isBusy: boolean): Promise<void> {
    const batch: Job<T>[] = [];
    do {
      const job = lane.queue.shift();
      if (job === undefined) break;
      batch.push(job);
      this.use.add(lane.key, job.bytes);
    } while (batch.length < BATCH_MAX && !isBusy && !this.use.isBusy(lane.key));
    lane.running = batch.length;
    // Also where all the work is synchronous, others' messages are read between two of one camera.
    await this.nextTurn();
    try {
      await this.handle(batch.map(({ item }) => item));
    } finally {
      const bytes = batch.reduce((sum, job) => sum + job.bytes, 0);
      lane.running = 0;
      lane.bytes -= bytes;
      this.waitingCount -= batch.length;
      this.waitingBytes -= bytes;
      if (isBusy) this.busyRunning--;
      if (lane.queue.length > 0) this.schedule(lane);
      else this.lanes.delete(lane.key);
      this.startBusy();
      if (this.lanes.size === 0) for (const resolve of this.idlers.splice(0)) resolve();
    }
  }
}
