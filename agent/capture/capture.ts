import type { Counters } from '../../common/counters.js';
import { asSealcamError, isSealcamError, SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { CameraInfo, Frame, LumaPlane } from '../../hal/camera.js';
import { Detector, type DetectorSettings } from './detect/detector.js';
import { EventTracker, type EventSettings, type Transition } from './event-tracker.js';
import { FrameOrder } from './frame-order.js';
import { FreezeWatch } from './freeze.js';
import type { Inspection } from './detect/inspection.js';
import { decodeLuma } from './jpeg.js';
import { LumaDecoder } from './luma-decoder.js';
import type { Observation } from './detect/observation.js';
import { Pace } from './pace.js';
import { sharpnessOf } from './picture-choice.js';
import { SightWatch } from './sight.js';
import { isFit } from './detect/plane-size.js';
import type { SceneChange } from './detect/scene-watch.js';
import type { Schedule } from './schedule.js';

export interface CaptureSettings {
  /** Pixels; the plane's height follows from the frame's. */
  readonly lumaWidth: number;
  /** Frames of a live stream that are inspected per second while nothing moves. */
  readonly idleFramesPerSecond: number;
  readonly detector: DetectorSettings;
  readonly events: EventSettings;
  /** When motion raises events; always where it is missing. */
  readonly schedule?: Schedule;
}

export interface CaptureDependencies {
  readonly counters: Counters;
  readonly log: Log;
  /** Called in order. */
  readonly onTransition: (transition: Transition<Frame>) => void;
  /** The whole scene changed, or the stream froze or thawed, with the frame of this time. */
  readonly onScene: (change: CaptureScene, monotonicMs: number) => void;
  /** UTC of a frame, as its record will state it; null while the clock was never set. */
  readonly wallMsOf: (monotonicMs: number) => number | null;
}

export type CaptureScene = SceneChange | { readonly class: 'stall'; readonly durationMs?: number };

/** What judges whether the camera sees. */
export interface Eyes {
  readonly freeze: FreezeWatch;
  readonly sight: SightWatch;
}

/** What the detector found in the last frame, for `motion why`. */
export interface LastInspection {
  readonly index: number;
  readonly monotonicMs: number;
  readonly observation: Observation;
  /** Since when the camera is covered, blurred or turned; null while it is not. */
  readonly tamperedSinceMs: number | null;
  /** The stream repeats one picture. */
  readonly isFrozen: boolean;
}

/** A live frame that is older when its turn comes is dropped. */
const LIVE_AGE_MAX_MS = 2000;
/** Of unreadable frames the first is logged, and then every hundredth. */
const LOG_EVERY_FRAMES = 100;

/**
 * Turns frames into events. Frames are inspected one after the other. A corrupt frame is counted and skipped; a late live
 * frame is counted and dropped, a recorded one never is.
 */
export class Capture {
  private readonly deps: CaptureDependencies;
  private readonly info: CameraInfo;
  private settings: CaptureSettings;
  private detector: Detector;
  private tracker: EventTracker<Frame>;
  private readonly decoder = new LumaDecoder();
  private readonly order = new FrameOrder();
  private freeze: FreezeWatch;
  private readonly sight: SightWatch;
  private pace: Pace;
  private isClockUnset = false;
  private last: Omit<LastInspection, 'tamperedSinceMs' | 'isFrozen'> | null = null;
  private lastIndex = -1;

  /** `eyes` are those of the capture before, where a camera that does not see is opened again. */
  constructor(info: CameraInfo, settings: CaptureSettings, deps: CaptureDependencies, eyes?: Eyes) {
    this.freeze = eyes?.freeze ?? new FreezeWatch();
    this.sight = eyes?.sight ?? new SightWatch();
    this.info = info;
    this.deps = deps;
    this.settings = settings;
    this.detector = new Detector(settings.detector);
    this.tracker = new EventTracker(settings.events);
    this.pace = new Pace(settings.idleFramesPerSecond);
  }

  get lastInspection(): LastInspection | null {
    const { last, detector, freeze } = this;
    return last === null ? null : { ...last, tamperedSinceMs: detector.tamperedSinceMs, isFrozen: freeze.isFrozen };
  }

  get eyes(): Eyes {
    return { freeze: this.freeze, sight: this.sight };
  }

  /** Whether the camera sees: frames arrive, and most of them can be decoded and show something. */
  get sees(): 'yes' | 'no' | 'unknown' {
    if (this.freeze.isFrozen || this.sight.isLost) return 'no';
    return this.sight.hasSeen ? 'yes' : 'unknown';
  }

  /** Returns planes and patches of the last frame, for `sealcam replay --explain`; null before the first. */
  inspect(): Inspection | null {
    return this.detector.inspect();
  }

  /** Applies new settings. The background is learnt again, and an open event ends with the last frame. */
  configure(settings: CaptureSettings): void {
    this.settings = settings;
    this.restart();
  }

  /** The infrared-cut filter switches now, as the hardware reports. */
  expectSwitch(monotonicMs: number): void {
    this.detector.expectSwitch(monotonicMs);
  }

  /** Adds a frame; `nowMs` is the monotonic time now. @throws SealcamError other than `frame-corrupt` */
  async inspectFrame(frame: Frame, nowMs: number): Promise<void> {
    const { counters } = this.deps;
    counters.add('frames.seen');
    if (!this.isInOrder(frame)) return;
    if (this.info.timeBase === 'recorded') {
      await this.decodeAndObserve(frame);
      return;
    }
    if (this.lastIndex >= 0 && frame.index > this.lastIndex + 1) {
      counters.add('frames.dropped', frame.index - this.lastIndex - 1);
    }
    this.lastIndex = frame.index;
    if (nowMs - frame.monotonicMs > LIVE_AGE_MAX_MS) {
      counters.add('frames.dropped');
      return;
    }
    if (this.isRepeat(frame)) return;
    await this.inspectWhenDue(frame);
  }

  /** Turns motion outside the schedule into `off-schedule`. While the clock was never set, motion counts at any time. */
  private applySchedule(observation: Observation, monotonicMs: number): Observation {
    const { schedule } = this.settings;
    if (schedule === undefined || !observation.motion) return observation;
    const wallMs = this.deps.wallMsOf(monotonicMs);
    if (wallMs === null && !this.isClockUnset) {
      this.deps.log.warn({}, 'the clock is not set: motion raises events regardless of the schedule');
    }
    this.isClockUnset = wallMs === null;
    if (wallMs === null || schedule.includes(wallMs)) return observation;
    this.deps.counters.add('motion.off-schedule');
    return { ...observation, motion: false, reason: 'off-schedule' };
  }

  /** The stream is over: an open event ends with its last frame. */
  finish(): void {
    if (this.last !== null) this.emit(this.tracker.finish(this.last.index, this.last.monotonicMs));
  }

  /** Discards what was learnt. */
  private restart(): void {
    this.finish();
    this.detector = new Detector(this.settings.detector);
    this.tracker = new EventTracker(this.settings.events);
    this.pace = new Pace(this.settings.idleFramesPerSecond);
    this.last = null;
  }

  private isInOrder({ index, monotonicMs }: Frame): boolean {
    const order = this.order.classify(monotonicMs);
    if (order === 'next') return true;
    const { counters, log } = this.deps;
    const before = counters.get('frames.backwards');
    counters.add('frames.backwards');
    if (before % LOG_EVERY_FRAMES === 0)
      log.warn({ index, count: before + 1 }, 'a frame is older than the one before it');
    if (order === 'restart') {
      this.restart();
      this.freeze = new FreezeWatch();
    }
    return order === 'restart';
  }

  /** Reports whether a frame repeats a picture that was inspected. While the detector starts, repeats count as frames. */
  private isRepeat(frame: Frame): boolean {
    const { counters, log, onScene } = this.deps;
    const freeze = this.freeze.inspectFrame(frame);
    if (freeze.type === 'thawed') {
      this.restart();
      onScene({ class: 'stall', durationMs: freeze.durationMs }, frame.monotonicMs);
    }
    if (freeze.type === 'froze') {
      counters.add('camera.freezes');
      log.warn({ index: frame.index }, 'the stream is frozen: it repeats one picture');
      this.finish();
      onScene({ class: 'stall' }, frame.monotonicMs);
    }
    const isStarting = this.last === null || this.last.observation.reason === 'starting';
    const wasInspected = !isStarting && !this.pace.isWaiting;
    return this.freeze.isFrozen || (freeze.type === 'repeat' && wasInspected);
  }

  /** Lets most frames wait while nothing moves; they are inspected only if the next one that is due differs. */
  private async inspectWhenDue(frame: Frame): Promise<void> {
    const { pace, detector } = this;
    if (pace.mayWait(frame)) return;
    const luma = await this.lumaOf(frame);
    if (luma === null) return;
    const earlier = pace.drainWaiting();
    const mustCatchUp = earlier.length > 0 && detector.differs(luma);
    if (mustCatchUp) for (const one of earlier) await this.decodeAndObserve(one);
    else if (earlier.length > 0) this.deps.counters.add('frames.unwatched', earlier.length);
    const { reason } = this.observe(frame, luma);
    // A thing that is too small may come nearer; no frame is lost by waiting for it.
    pace.noteInspection(!mustCatchUp && (reason === 'still' || reason === 'too-small'), frame.monotonicMs);
  }

  private async decodeAndObserve(frame: Frame): Promise<void> {
    const luma = await this.lumaOf(frame);
    if (luma !== null) this.observe(frame, luma);
  }

  private observe(frame: Frame, luma: LumaPlane): Observation {
    const { index, monotonicMs } = frame;
    const observation = this.applySchedule(this.detector.observe(luma, monotonicMs, index), monotonicMs);
    this.last = { index, monotonicMs, observation };
    if (observation.scene !== null) this.deps.onScene(observation.scene, monotonicMs);
    const sharpness = observation.box === null ? 0 : sharpnessOf(luma, observation.box);
    this.emit(this.tracker.advance(observation, { frame, index, timeMs: monotonicMs, sharpness }));
    return observation;
  }

  private emit(transitions: readonly Transition<Frame>[]): void {
    for (const transition of transitions) this.deps.onTransition(transition);
  }

  private async decoded({ jpeg }: Frame): Promise<LumaPlane> {
    const luma = await decodeLuma(jpeg, this.settings.lumaWidth, this.decoder);
    this.deps.counters.add('frames.decoded');
    return luma;
  }

  private async lumaOf(frame: Frame): Promise<LumaPlane | null> {
    try {
      const luma = frame.luma ?? (await this.decoded(frame));
      if (isFit(luma)) {
        this.noteSight(luma, frame);
        return luma;
      }
      const size = `${String(luma.width)}×${String(luma.height)}`;
      throw new SealcamError(
        'frame-corrupt',
        `a luma plane of ${size} pixels has a size that detection does not accept`,
      );
    } catch (error) {
      if (!isSealcamError(error) || error.code !== 'frame-corrupt') throw asSealcamError(error);
      const { counters, log } = this.deps;
      const before = counters.get('frames.corrupt');
      counters.add('frames.corrupt');
      if (before % LOG_EVERY_FRAMES === 0) {
        log.warn({ code: error.code, index: frame.index, count: before + 1 }, error.message);
      }
      this.noteSight(null, frame);
      return null;
    }
  }

  private noteSight(luma: LumaPlane | null, { index, monotonicMs }: Frame): void {
    const { counters, log, onScene } = this.deps;
    const sight = this.sight.add(luma, monotonicMs);
    if (sight.type === 'lost') {
      counters.add('camera.blind');
      const why = sight.reason === 'undecodable' ? 'most frames cannot be decoded' : 'every frame is of one colour';
      log.warn({ code: 'frame-corrupt', index, reason: sight.reason }, `the camera does not see: ${why}`);
      onScene({ class: 'stall' }, monotonicMs);
    }
    if (sight.type === 'regained') onScene({ class: 'stall', durationMs: sight.durationMs }, monotonicMs);
  }
}
