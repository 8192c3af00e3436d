import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { guardAsync } from '../../common/guard.js';
import type { Log } from '../../common/log.js';
import { CAMERA_DRIVERS } from '../../hal/camera-drivers.js';
import type { Camera, CameraInfo, Frame } from '../../hal/camera.js';
import type { RecordScene } from '../../protocol/objects/record.js';
import { CameraLoop, type CameraState } from './camera-loop.js';
import { Capture, type CaptureDependencies, type CaptureSettings, type Eyes, type LastInspection } from './capture.js';
import { Reopening } from './reopening.js';
import { SceneLog } from './scene-log.js';
import type { Transition } from './event-tracker.js';

export interface CameraSessionDependencies {
  readonly camera: Camera;
  readonly clock: Clock;
  readonly counters: Counters;
  /** Makes the log of one part. */
  readonly log: (part: string) => Log;
  readonly onTransition: (transition: Transition<Frame>) => void;
  /** A frame came, before it is inspected. */
  readonly onFrame?: (frame: Frame) => void;
  /** The camera was opened, and its frames begin; its frames ended, and it is about to be closed. */
  readonly onOpened?: () => void;
  readonly onClosing?: () => void;
  /** From now on motion raises events; said each time the camera was opened. */
  readonly onArmed: () => void;
  /** The camera stalled, or its stream froze. */
  readonly onSilence: () => void;
  /** The scene changed as a whole, or was not seen for a while; `monotonicMs` is the time of the frame that showed it. */
  readonly onScene: (scene: RecordScene, monotonicMs: number) => void;
  /** UTC of a frame; null while the clock was never set. */
  readonly wallMsOf: (monotonicMs: number) => number | null;
}

/** Runs camera and detector. After `stop` no frame is read or kept until `start` is called again. */
export class CameraSession {
  private readonly deps: CameraSessionDependencies;
  private readonly loop: CameraLoop;
  /** Outlives each opening of the camera, so that one that flaps records a start at most once a minute. */
  private readonly scenes: SceneLog;
  private settings: CaptureSettings;
  private capture: Capture | null = null;
  private cameraInfo: CameraInfo | null = null;
  private frame: Frame | null = null;
  /** Time of the first frame since the camera was opened, and whether motion raises events yet. */
  private firstFrameMs: number | null = null;
  private isArmed = false;
  private readonly reopening = new Reopening();
  /** While a camera that does not see is opened again: what judged so. */
  private eyes: Eyes | null = null;
  private stopping: AbortController | null = null;
  private done: Promise<void> = Promise.resolve();

  constructor(settings: CaptureSettings, deps: CameraSessionDependencies) {
    this.settings = settings;
    this.deps = deps;
    this.scenes = new SceneLog({ counters: deps.counters, log: deps.log('capture'), onRecord: deps.onScene });
    this.loop = new CameraLoop({
      camera: deps.camera,
      clock: deps.clock,
      counters: deps.counters,
      log: deps.log('camera'),
      onSilence: deps.onSilence,
      onStall: (silentMs) => {
        this.scenes.recordScene({ class: 'stall', durationMs: Math.round(silentMs) }, deps.clock.monotonicMs());
      },
      onOpen: (info) => {
        this.startCapture(info);
        deps.onOpened?.();
      },
      onFrame: async (frame) => {
        this.frame = frame;
        deps.onFrame?.(frame);
        this.firstFrameMs ??= frame.monotonicMs;
        await this.capture?.inspectFrame(frame, deps.clock.monotonicMs());
        this.noteArmed();
        this.reopenIfBlind();
      },
      onEnd: () => {
        this.capture?.finish();
        deps.onClosing?.();
        this.capture = null;
        this.cameraInfo = null;
        this.firstFrameMs = null;
        this.isArmed = false;
      },
    });
  }

  /**
   * What health records report: sight, not arrival. A stream that is frozen, cannot be decoded or shows nothing counts as
   * stalled, and one of which no frame was decoded yet as starting.
   */
  get state(): CameraState {
    const { cameraState } = this.loop;
    if (cameraState === 'ok' && this.eyes !== null) return 'stalled';
    if (cameraState !== 'ok' || this.capture === null) return cameraState;
    const { sees } = this.capture;
    if (sees === 'yes') return 'ok';
    return sees === 'no' ? 'stalled' : 'starting';
  }

  /** The infrared-cut filter switched, as the hardware reports. */
  lightSwitched(monotonicMs: number): void {
    this.capture?.expectSwitch(monotonicMs);
    this.scenes.recordScene({ class: 'ir-cut' }, monotonicMs);
  }

  /** The open camera; null while none is open. */
  get info(): CameraInfo | null {
    return this.cameraInfo;
  }

  /** The newest frame; null before the first and after `stop`. */
  get lastFrame(): Frame | null {
    return this.frame;
  }

  /** What the detector found in the last frame that it saw. */
  get lastInspection(): LastInspection | null {
    return this.capture?.lastInspection ?? null;
  }

  /** Applies new settings immediately, also to an open camera. */
  configure(settings: CaptureSettings): void {
    this.settings = settings;
    this.capture?.configure(settings);
  }

  get isStopped(): boolean {
    return this.stopping === null;
  }

  /** Starts the camera, once an earlier session has ended. */
  start(): void {
    const stopping = new AbortController();
    this.stopping = stopping;
    // One camera is open at a time: a session that was stopped a moment ago ends first.
    const before = this.done;
    this.done = guardAsync(this.deps.log('camera'), 'the camera is not opened again', async () => {
      await before;
      if (!stopping.signal.aborted) await this.loop.run(stopping.signal);
    }).then(() => undefined);
  }

  /** Resolves when the camera is closed and an open event has ended. */
  async stop(): Promise<void> {
    this.stopping?.abort();
    this.stopping = null;
    await this.done;
    this.eyes = null;
    if (this.isStopped) this.frame = null;
  }

  private startCapture(info: CameraInfo): void {
    const { counters, log, onTransition, onSilence, wallMsOf } = this.deps;
    this.cameraInfo = info;
    const { driver, model, width, height, framesPerSecond } = info;
    log('camera').info({ driver, model, width, height, framesPerSecond }, 'the camera is open');
    const dependencies: CaptureDependencies = {
      counters,
      log: log('capture'),
      onTransition,
      wallMsOf,
      onScene: (scene, monotonicMs) => {
        this.scenes.recordScene(scene, monotonicMs);
        // A frozen picture is as bad as none, and must not wait for the next regular health record.
        if (scene.class === 'stall' && scene.durationMs === undefined) onSilence();
      },
    };
    this.capture = new Capture(info, this.settings, dependencies, this.eyes ?? undefined);
    this.eyes = null;
  }

  /** Opens a camera again that delivers frames and has shown nothing for minutes. A simulated one has no driver that hangs. */
  private reopenIfBlind(): void {
    const { capture, cameraInfo } = this;
    if (capture === null || cameraInfo === null || CAMERA_DRIVERS[cameraInfo.driver].isSimulated) return;
    if (!this.reopening.note(capture.sees, this.deps.clock.monotonicMs())) return;
    this.deps.counters.add('camera.reopened');
    this.deps
      .log('camera')
      .warn({ code: 'frame-corrupt' }, 'the camera has shown nothing for minutes: it is opened again');
    this.eyes = capture.eyes;
    this.loop.reopen();
  }

  /** Records the moment from which motion raises events, because the detector has learnt the scene. */
  private noteArmed(): void {
    const last = this.lastInspection;
    if (this.isArmed || last === null || last.observation.reason === 'starting') return;
    this.isArmed = true;
    const durationMs = Math.max(0, Math.round(last.monotonicMs - (this.firstFrameMs ?? last.monotonicMs)));
    this.deps.log('camera').info({ frame: last.index, learntMs: durationMs }, 'the camera is armed');
    this.scenes.recordScene({ class: 'startup', durationMs }, last.monotonicMs);
    this.deps.onArmed();
  }
}
