import { isAborted } from '../../common/abort.js';
import { sleep, type CancelTimer, type Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { Camera, CameraInfo, Frame } from '../../hal/camera.js';

export type CameraState = 'starting' | 'ok' | 'stalled' | 'absent';

export interface CameraLoopDependencies {
  readonly camera: Camera;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly onOpen: (info: CameraInfo) => void;
  readonly onFrame: (frame: Frame) => Promise<void>;
  /** The stream ended or broke: an open event ends. */
  readonly onEnd: () => void;
  /** Frames came again after this long. */
  readonly onStall: (silentMs: number) => void;
}

/** So long without a frame is a stall. */
const STALL_MS = 5000;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 30_000;

/** Keeps one camera streaming: opens it, takes its frames, notices silence, and starts it again with growing patience. */
export class CameraLoop {
  private readonly deps: CameraLoopDependencies;
  private state: CameraState = 'starting';
  private lastFrameMs: number | null = null;
  private cancelWatch: CancelTimer = () => undefined;

  constructor(deps: CameraLoopDependencies) {
    this.deps = deps;
  }

  get cameraState(): CameraState {
    return this.state;
  }

  /** Runs until the signal fires, or a recorded stream has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const { camera, clock, log, counters } = this.deps;
    let retryMs = RETRY_FIRST_MS;
    this.watch();
    try {
      while (!signal.aborted) {
        try {
          const info = await camera.open(signal);
          this.deps.onOpen(info);
          const before = counters.get('frames.seen');
          for await (const frame of camera.frames(signal)) {
            this.frameCame();
            await this.deps.onFrame(frame);
          }
          if (isAborted(signal)) return;
          if (counters.get('frames.seen') > before) retryMs = RETRY_FIRST_MS;
          if (info.driver === 'replay' || info.timeBase === 'recorded') {
            log.info({ model: info.model }, 'the recording has ended');
            return;
          }
          log.warn({ code: 'camera-ended' }, 'the stream ended');
        } catch (error) {
          if (isAborted(signal)) return;
          const { code, message, hint, recoverable } = asSealcamError(error);
          counters.add(`camera.${code}`);
          log.error({ code, hint }, message);
          this.state = 'absent';
          if (!recoverable) throw error;
        } finally {
          this.deps.onEnd();
          await camera.close();
        }
        await sleep(clock, retryMs, signal);
        retryMs = Math.min(RETRY_MAX_MS, retryMs * 2);
      }
    } finally {
      this.cancelWatch();
    }
  }

  private frameCame(): void {
    const nowMs = this.deps.clock.monotonicMs();
    if (this.state === 'stalled' && this.lastFrameMs !== null) this.deps.onStall(nowMs - this.lastFrameMs);
    this.state = 'ok';
    this.lastFrameMs = nowMs;
  }

  private watch(): void {
    this.cancelWatch = this.deps.clock.after(1000, () => {
      const silentMs = this.deps.clock.monotonicMs() - (this.lastFrameMs ?? this.deps.clock.monotonicMs());
      if (this.state === 'ok' && silentMs >= STALL_MS) {
        this.state = 'stalled';
        this.deps.counters.add('camera.stalls');
        this.deps.log.warn({ code: 'camera-ended', silentMs: Math.round(silentMs) }, 'no frame comes');
      }
      this.watch();
    });
  }
}
