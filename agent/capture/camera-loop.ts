import { isAborted } from '../../common/abort.js';
import type { CancelTimer, Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { retrying } from '../../common/retry.js';
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
  /** No frame came for so long that it must be said; once in every silence, whatever its reason. */
  readonly onSilence: () => void;
  /** Frames came again after this long. */
  readonly onStall: (silentMs: number) => void;
}

/** So long without a frame is a stall. */
const STALL_MS = 5000;
const WATCH_MS = 1000;
/** A camera that streamed this long had started well: its next fault is a new one, and tried again soon. */
const STEADY_MS = 10_000;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 30_000;

/** Keeps one camera streaming: opens it, takes its frames, notices silence, and starts it again with growing patience. */
export class CameraLoop {
  private readonly deps: CameraLoopDependencies;
  private state: CameraState = 'starting';
  /** Since when no frame came: the last one, or the start. */
  private silentSinceMs = 0;
  private isSilenceSaid = false;
  private cancelWatch: CancelTimer = () => undefined;

  constructor(deps: CameraLoopDependencies) {
    this.deps = deps;
  }

  get cameraState(): CameraState {
    return this.state;
  }

  /** Runs until the signal fires, or a recorded stream has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.deps;
    this.silentSinceMs = clock.monotonicMs();
    this.scheduleWatch();
    const options = { clock, signal, firstDelayMs: RETRY_FIRST_MS, maxDelayMs: RETRY_MAX_MS };
    try {
      await retrying(options, (resetDelay) => this.stream(signal, resetDelay));
    } finally {
      this.cancelWatch();
    }
  }

  /** Streams once. Returns null when the camera should be opened again. */
  private async stream(signal: AbortSignal, resetDelay: () => void): Promise<'finished' | null> {
    const { camera, log, counters } = this.deps;
    let firstFrameMs: number | null = null;
    try {
      const info = await camera.open(signal);
      this.deps.onOpen(info);
      for await (const frame of camera.frames(signal)) {
        this.frameCame();
        firstFrameMs ??= this.silentSinceMs;
        await this.deps.onFrame(frame);
      }
      if (isAborted(signal)) return null;
      if (info.driver === 'replay' || info.timeBase === 'recorded') {
        log.info({ model: info.model }, 'the recording has ended');
        return 'finished';
      }
      log.warn({ code: 'camera-ended' }, 'the stream ended');
    } catch (error) {
      if (isAborted(signal)) return null;
      const { code, message, hint, recoverable } = asSealcamError(error);
      counters.add(`camera.${code}`);
      log.error({ code, hint }, message);
      this.state = 'absent';
      if (!recoverable) throw error;
    } finally {
      this.deps.onEnd();
      await camera.close();
    }
    if (firstFrameMs !== null && this.silentSinceMs - firstFrameMs >= STEADY_MS) resetDelay();
    return null;
  }

  private frameCame(): void {
    const nowMs = this.deps.clock.monotonicMs();
    if (this.isSilenceSaid) this.deps.onStall(nowMs - this.silentSinceMs);
    this.isSilenceSaid = false;
    this.state = 'ok';
    this.silentSinceMs = nowMs;
  }

  private scheduleWatch(): void {
    const { clock, counters, log, onSilence } = this.deps;
    this.cancelWatch = clock.after(WATCH_MS, () => {
      const silentMs = clock.monotonicMs() - this.silentSinceMs;
      if (!this.isSilenceSaid && silentMs >= STALL_MS) {
        this.isSilenceSaid = true;
        if (this.state === 'ok') this.state = 'stalled';
        counters.add('camera.stalls');
        log.warn({ code: 'camera-ended', silentMs: Math.round(silentMs), camera: this.state }, 'no frame comes');
        onSilence();
      }
      this.scheduleWatch();
    });
  }
}
