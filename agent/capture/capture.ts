import type { Counters } from '../../common/counters.js';
import { asSealcamError, isSealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { CameraInfo, Frame, LumaPlane } from '../../hal/camera.js';
import { Detector, type DetectorSettings, type Observation } from './detector.js';
import { EventTracker, type EventSettings, type Transition } from './event-tracker.js';
import type { Inspection } from './inspection.js';
import { decodeLuma } from './jpeg.js';
import { sharpnessOf } from './picture-choice.js';
import type { SceneChange } from './scene-watch.js';

export interface CaptureSettings {
  /** Pixels; the plane's height follows from the frame's. */
  readonly lumaWidth: number;
  readonly detector: DetectorSettings;
  readonly events: EventSettings;
}

export interface CaptureDependencies {
  readonly counters: Counters;
  readonly log: Log;
  /** Called in order; what it returns is not waited for on a live camera. */
  readonly onTransition: (transition: Transition<Frame>) => void;
  /** The whole scene changed; said once in a while, however often it does. */
  readonly onScene: (change: SceneChange) => void;
}

/** What the detector said of the last frame, for `motion why`. */
export interface LastLook {
  readonly index: number;
  readonly monotonicMs: number;
  readonly observation: Observation;
}

/** A live frame that is looked at this much later than it was captured is old news. */
const LATE_MS = 2000;
/** A lamp that flickers is said once a minute, and counted. */
const SCENE_EVERY_MS = 60_000;
/** A stretch of unreadable frames is logged once, then after each of so many. */
const LOG_EVERY = 100;

/**
 * Frames in, events out. Frames are looked at one after the other; a corrupt one is counted and skipped, a late live one
 * is dropped and counted, a recorded one never is.
 */
export class Capture {
  private readonly deps: CaptureDependencies;
  private readonly info: CameraInfo;
  private lumaWidth: number;
  private detector: Detector;
  private tracker: EventTracker<Frame>;
  private last: LastLook | null = null;
  private lastIndex = -1;
  private readonly saidMs = new Map<SceneChange, number>();

  constructor(info: CameraInfo, settings: CaptureSettings, deps: CaptureDependencies) {
    this.info = info;
    this.deps = deps;
    this.lumaWidth = settings.lumaWidth;
    this.detector = new Detector(settings.detector);
    this.tracker = new EventTracker(settings.events);
  }

  get lastLook(): LastLook | null {
    return this.last;
  }

  /** Planes and patches of the last frame, for `sealcam replay --explain`. */
  inspect(): Inspection | null {
    return this.detector.inspect();
  }

  /** New settings start a new background; an open event ends with the frame that was last seen. */
  configure(settings: CaptureSettings): void {
    this.finish();
    this.lumaWidth = settings.lumaWidth;
    this.detector = new Detector(settings.detector);
    this.tracker = new EventTracker(settings.events);
  }

  async look(frame: Frame, nowMs: number): Promise<void> {
    const { counters } = this.deps;
    counters.add('frames.seen');
    if (this.info.timeBase === 'live') {
      if (this.lastIndex >= 0 && frame.index > this.lastIndex + 1) {
        counters.add('frames.dropped', frame.index - this.lastIndex - 1);
      }
      this.lastIndex = frame.index;
      if (nowMs - frame.monotonicMs > LATE_MS) {
        counters.add('frames.dropped');
        return;
      }
    }
    const luma = await this.lumaOf(frame);
    if (luma === null) return;
    const observation = this.detector.observe(luma, frame.monotonicMs, frame.index);
    this.last = { index: frame.index, monotonicMs: frame.monotonicMs, observation };
    if (observation.scene !== null) this.sceneChanged(observation.scene, frame.monotonicMs);
    const sharpness = observation.box === null ? 0 : sharpnessOf(luma, observation.box);
    this.emit(this.tracker.step(observation, frame, frame.index, frame.monotonicMs, sharpness));
  }

  private sceneChanged(change: SceneChange, timeMs: number): void {
    this.deps.counters.add(`scenes.${change}`);
    const saidMs = this.saidMs.get(change);
    if (saidMs !== undefined && timeMs - saidMs < SCENE_EVERY_MS) return;
    this.saidMs.set(change, timeMs);
    this.deps.log.info({ change }, 'the scene changed');
    this.deps.onScene(change);
  }

  /** The stream is over: an event that is still open ends with its last frame. */
  finish(): void {
    if (this.last !== null) this.emit(this.tracker.finish(this.last.index, this.last.monotonicMs));
  }

  private emit(transitions: readonly Transition<Frame>[]): void {
    for (const transition of transitions) this.deps.onTransition(transition);
  }

  private async lumaOf(frame: Frame): Promise<LumaPlane | null> {
    if (frame.luma !== undefined) return frame.luma;
    try {
      const luma = await decodeLuma(frame.jpeg, this.lumaWidth);
      this.deps.counters.add('frames.decoded');
      return luma;
    } catch (error) {
      if (!isSealcamError(error) || error.code !== 'frame-corrupt') throw asSealcamError(error);
      const { counters, log } = this.deps;
      const before = counters.get('frames.corrupt');
      counters.add('frames.corrupt');
      if (before % LOG_EVERY === 0) {
        log.warn({ code: error.code, index: frame.index, count: before + 1 }, error.message);
      }
      return null;
    }
  }
}
