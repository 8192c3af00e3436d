import { isAborted } from '../../common/abort.js';
import type { CancelTimer, Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { retrying } from '../../common/retry.js';
import { CAMERA_DRIVERS } from '../../hal/camera-drivers.js';
import type { Camera, CameraInfo, Frame } from '../../hal/camera.js';

export type CameraState = 'starting' | 'ok' | 'stalled' | 'absent';

export interface CameraLoopDependencies {
  readonly camera: Camera;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly onOpen: (info: CameraInfo) => void;
  readonly onFrame: (frame: Frame) => Promise<void>;
  /** The stream ended or failed, so an open event ends. */
  readonly onEnd: () => void;
  /** The camera has been silent for {@link STALL_MS}; called once per silence, whatever its cause. */
  readonly onSilence: () => void;
  /** Frames came again after this long. */
  readonly onStall: (silentMs: number) => void;
}

/** Silence after which the camera counts as stalled. */
const STALL_MS = 5000;
const CHECK_EVERY_MS = 1000;
/** A stream that lasted this long resets the back-off: its next fault is a new one. */
const STEADY_MS = 10_000;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 30_000;

/** Keeps one camera streaming: opens it, passes its frames on, reports silence, and opens it again with a growing back-off. */
export class CameraLoop {
  private readonly deps: CameraLoopDependencies;
  private state: CameraState = 'starting';
  /** Time of the last frame, or of the start before the first. */
  private silentSinceMs = 0;
  private isSilenceReported = false;
  private cancelWatch: CancelTimer = () => undefined;
  private streaming = new AbortController();

  constructor(deps: CameraLoopDependencies) {
    this.deps = deps;
  }

  get cameraState(): CameraState {
    return this.state;
  }

  /** Ends the stream that runs; the camera is opened again. */
  reopen(): void {
    this.streaming.abort();
  }

  /**
   * Runs until the signal fires or a recorded stream has ended.
   * @throws SealcamError that is not recoverable, such as `config-invalid-value`
   */
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
  private async stream(stop: AbortSignal, resetDelay: () => void): Promise<'finished' | null> {
    this.streaming = new AbortController();
    const signal = AbortSignal.any([stop, this.streaming.signal]);
    const { camera, log, counters } = this.deps;
    let firstFrameMs: number | null = null;
    let isRepeated = true;
    try {
      const info = await camera.open(signal);
      isRepeated = info.isRepeated ?? true;
      this.deps.onOpen(info);
      for await (const frame of camera.frames(signal)) {
        this.noteFrame();
        firstFrameMs ??= this.silentSinceMs;
        await this.deps.onFrame(frame);
      }
      if (isAborted(signal)) return null;
      if (CAMERA_DRIVERS[info.driver].endsByItself || info.timeBase === 'recorded') {
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
      // A recording that is played once is over, however it ends; one that is repeated starts again.
      if (code === 'video-truncated' && !isRepeated) return 'finished';
    } finally {
      this.deps.onEnd();
      await camera.close();
    }
    if (firstFrameMs !== null && this.silentSinceMs - firstFrameMs >= STEADY_MS) resetDelay();
    return null;
  }

  private noteFrame(): void {
    const nowMs = this.deps.clock.monotonicMs();
    if (this.isSilenceReported) this.deps.onStall(nowMs - this.silentSinceMs);
    this.isSilenceReported = false;
    this.state = 'ok';
    this.silentSinceMs = nowMs;
  }

  private scheduleWatch(): void {
    const { clock, counters, log, onSilence } = this.deps;
    this.cancelWatch = clock.after(CHECK_EVERY_MS, () => {
      const silentMs = clock.monotonicMs() - this.silentSinceMs;
      if (!this.isSilenceReported && silentMs >= STALL_MS) {
        this.isSilenceReported = true;
        if (this.state === 'ok') this.state = 'stalled';
        counters.add('camera.stalls');
        log.warn(
          { code: 'camera-ended', silentMs: Math.round(silentMs), camera: this.state },
          'the camera delivers no frames',
        );
        onSilence();
      }
      this.scheduleWatch();
    });
  }
}
