import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { guardAsync } from '../../common/guard.js';
import type { Log } from '../../common/log.js';
import type { Camera, CameraInfo, Frame } from '../../hal/camera.js';
import type { RecordScene } from '../../protocol/objects/record.js';
import { CameraLoop, type CameraState } from './camera-loop.js';
import { Capture, type CaptureSettings, type LastLook } from './capture.js';
import { SceneLog } from './scene-log.js';
import type { Transition } from './event-tracker.js';

export interface CameraSessionDependencies {
  readonly camera: Camera;
  readonly clock: Clock;
  readonly counters: Counters;
  /** Makes the log of one part. */
  readonly log: (part: string) => Log;
  readonly onTransition: (transition: Transition<Frame>) => void;
  /** No frame came for so long that it must be said. */
  readonly onSilence: () => void;
  /** The scene changed as a whole, or was not seen for a while; with the time of the frame that showed it. */
  readonly onScene: (scene: RecordScene, monotonicMs: number) => void;
  /** UTC of a frame; null while the clock was never set. */
  readonly wallMsOf: (monotonicMs: number) => number | null;
}

/** Camera and detector while the camera looks. After `stop` no frame is taken or kept, until it is started again. */
export class CameraSession {
  private readonly deps: CameraSessionDependencies;
  private readonly loop: CameraLoop;
  /** Outlives each opening: a camera that flaps is not said to start more than once a minute. */
  private readonly scenes: SceneLog;
  private settings: CaptureSettings;
  private capture: Capture | null = null;
  private cameraInfo: CameraInfo | null = null;
  private frame: Frame | null = null;
  /** Its first frame since it was opened, and whether motion raises an event already. */
  private firstFrameMs: number | null = null;
  private isArmed = false;
  private stopping: AbortController | null = null;
  private done: Promise<void> = Promise.resolve();

  constructor(settings: CaptureSettings, deps: CameraSessionDependencies) {
    this.settings = settings;
    this.deps = deps;
    this.scenes = new SceneLog({ counters: deps.counters, log: deps.log('capture'), say: deps.onScene });
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
        this.opened(info);
      },
      onFrame: async (frame) => {
        this.frame = frame;
        this.firstFrameMs ??= frame.monotonicMs;
        await this.capture?.inspectFrame(frame, deps.clock.monotonicMs());
        this.noteArmed();
      },
      onEnd: () => {
        this.capture?.finish();
        this.capture = null;
        this.cameraInfo = null;
        this.firstFrameMs = null;
        this.isArmed = false;
      },
    });
  }

  get state(): CameraState {
    return this.capture?.isFrozen === true ? 'stalled' : this.loop.cameraState;
  }

  /** The hardware says that its infrared-cut filter switched. */
  lightSwitched(monotonicMs: number): void {
    this.capture?.expectSwitch(monotonicMs);
    this.scenes.recordScene({ class: 'ir-cut' }, monotonicMs);
  }

  get info(): CameraInfo | null {
    return this.cameraInfo;
  }

  get lastFrame(): Frame | null {
    return this.frame;
  }

  get lastLook(): LastLook | null {
    return this.capture?.lastLook ?? null;
  }

  configure(settings: CaptureSettings): void {
    this.settings = settings;
    this.capture?.configure(settings);
  }

  get isStopped(): boolean {
    return this.stopping === null;
  }

  start(): void {
    const stopping = new AbortController();
    this.stopping = stopping;
    // One camera is open at a time: what was stopped a moment ago ends first.
    const before = this.done;
    this.done = guardAsync(this.deps.log('camera'), 'the camera is given up', async () => {
      await before;
      if (!stopping.signal.aborted) await this.loop.run(stopping.signal);
    }).then(() => undefined);
  }

  /** Resolves when the camera is closed; an event that was going on has ended. */
  async stop(): Promise<void> {
    this.stopping?.abort();
    this.stopping = null;
    await this.done;
    if (this.isStopped) this.frame = null;
  }

  private opened(info: CameraInfo): void {
    const { counters, log, onTransition, onSilence, wallMsOf } = this.deps;
    this.cameraInfo = info;
    const { driver, model, width, height, framesPerSecond } = info;
    log('camera').info({ driver, model, width, height, framesPerSecond }, 'the camera is open');
    this.capture = new Capture(info, this.settings, {
      counters,
      log: log('capture'),
      onTransition,
      wallMsOf,
      onScene: (scene, monotonicMs) => {
        this.scenes.recordScene(scene, monotonicMs);
        // A picture that stands still is as bad as none: whoever made it so has until the next cadence otherwise.
        if (scene.class === 'stall' && scene.durationMs === undefined) onSilence();
      },
    });
  }

  /** From here on motion raises an event: the detector has learnt what it sees. */
  private noteArmed(): void {
    const look = this.lastLook;
    if (this.isArmed || look === null || look.observation.reason === 'starting') return;
    this.isArmed = true;
    this.deps.log('camera').info({ frame: look.index }, 'the camera is armed');
    const durationMs = Math.max(0, Math.round(look.monotonicMs - (this.firstFrameMs ?? look.monotonicMs)));
    this.scenes.recordScene({ class: 'startup', durationMs }, look.monotonicMs);
  }
}
