import type { CancelTimer, Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { SealcamError } from '../../common/errors.js';
import { guard } from '../../common/guard.js';
import type { Log } from '../../common/log.js';
import type { Frame } from '../../hal/camera.js';
import type { VideoInfo, VideoSource, VideoUnit } from '../../hal/video-source.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import type { Transition } from '../capture/event-tracker.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Sealer } from '../record/sealer.js';
import { ClipBuilder } from './clip-builder.js';
import { ClipWriter, waitingMaxBytes } from './clip-writer.js';
import type { RingLimits } from './unit-ring.js';
import { VideoReader } from './video-reader.js';

/** Why nothing may be filmed; `masked`: an encoder sees what the masks hide. */
export type Forbidden = 'privacy' | 'off-schedule' | 'masked';

export interface ClipsDependencies {
  readonly video: VideoSource;
  readonly limits: RingLimits;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly outbox: Pick<Outbox, 'currentClaim' | 'appendClip' | 'countLoss'>;
  readonly sealer: Pick<Sealer, 'sealSegment' | 'ready'>;
  readonly timeOf: (monotonicMs: number) => RecordTime;
  /** Resolves when the events so far are recorded. */
  readonly eventsRecorded: () => Promise<void>;
  /** Why nothing may be filmed at this time; null where it may. */
  readonly forbidden: (monotonicMs: number) => Forbidden | null;
  /** A unit came that may be kept. */
  readonly onUnit?: (unit: VideoUnit, info: VideoInfo) => void;
}

/** Why there is no video in the ring; `filming` where there is. */
export type ClipsState = 'filming' | 'camera-closed' | 'no-owner' | 'version-1' | 'no-video' | Forbidden;

/** How the clips stand, for console and health. */
export interface ClipsStatus {
  readonly state: ClipsState;
  readonly info: VideoInfo | null;
  readonly heldMs: number;
  readonly heldBytes: number;
  readonly limits: RingLimits;
  /** Length of the clips that run, in milliseconds. */
  readonly runningMs: readonly number[];
  readonly waitingBytes: number;
  readonly fault: SealcamError | null;
  readonly lastLoss: string | null;
}

const TICK_MS = 1000;
/**
 * Units of this long after a wipe, and after a time that is not allowed, are not taken: the time of a unit is that of its arrival, and
 * an encoder gives what it took in a moment before.
 */
const ENCODER_DELAY_MAX_MS = 500;

/**
 * Makes clips of a camera's events: keeps the last seconds of its video, and films on when an event starts. Only under a claim of
 * version 2; nothing is kept where nothing may be filmed.
 */
export class Clips {
  private readonly deps: ClipsDependencies;
  private readonly builder: ClipBuilder;
  private readonly writer: ClipWriter;
  private readonly reader: VideoReader;
  private info: VideoInfo | null = null;
  private claim: Verified<AnyClaim> | null;
  private isOpen = false;
  private fromMs = -Infinity;
  private reason: ClipsState | null = null;
  private cancelTick: CancelTimer = () => undefined;

  constructor(deps: ClipsDependencies) {
    this.deps = deps;
    const { limits, log } = deps;
    this.claim = deps.outbox.currentClaim();
    this.reader = new VideoReader({
      ...deps,
      onStarted: (info) => {
        const { codec, width, height, framesPerSecond } = info;
        log.info({ codec, width, height, framesPerSecond }, 'the video is open');
        this.info = info;
        this.builder.videoStarted(info);
      },
      onUnit: (unit) => {
        guard(log, 'a unit of video was dropped', () => {
          this.addUnit(unit);
        });
      },
      onEnded: () => {
        this.info = null;
        guard(log, 'a clip could not be ended', () => {
          this.builder.videoEnded();
        });
      },
    });
    this.writer = new ClipWriter({
      ...deps,
      waitingMaxBytes: waitingMaxBytes(limits.maxBytes),
      onLost: (name) => {
        this.builder.giveUp(name);
      },
    });
    this.builder = new ClipBuilder(limits, {
      onPart: (part) => {
        if (this.claim !== null) this.writer.write(part, this.claim);
      },
      onFault: (error) => {
        this.reader.report(error);
      },
    });
  }

  /** The camera is open: its video may be read. */
  cameraOpened(): void {
    this.isOpen = true;
    this.reader.start();
    this.tick();
  }

  /** The camera is about to close. */
  cameraClosed(): void {
    this.isOpen = false;
    this.cancelTick();
    this.reader.stop();
  }

  /** A transition of an event that is recorded under this id. */
  eventQueued(transition: Transition<Frame>, eventId: Uint8Array, claim: Verified<AnyClaim>): void {
    if (!isVersionTwo(claim.value) || this.reasonAt(this.deps.clock.monotonicMs()) !== null) return;
    guard(this.deps.log, 'an event has no clip', () => {
      if (transition.type === 'start') {
        this.writer.holdUntil(this.deps.eventsRecorded());
        this.builder.eventStarted(eventId, transition.sighting.timeMs);
      } else if (transition.type === 'end') this.builder.eventEnded(eventId, transition.endMs);
    });
  }

  /**
   * Ends the running clips at what was filmed so far, and empties the ring: the masks changed. Nothing that was filmed before this
   * enters a later clip.
   */
  wipe(): void {
    const { log, clock } = this.deps;
    guard(log, 'a clip could not be ended', () => {
      this.builder.wipe();
    });
    this.fromMs = clock.monotonicMs() + ENCODER_DELAY_MAX_MS;
    // Units that wait to be read are dropped with their reader.
    if (this.isOpen) this.reader.start();
  }

  /** Privacy was ordered: wipes, and takes nothing of a camera that is still closing. */
  privacyOrdered(): void {
    this.cameraClosed();
    this.wipe();
  }

  /** Wipes, and stores what can be stored: the epoch in which it was filmed still signs, and is about to end. */
  ownershipEnding(): void {
    this.wipe();
    this.writer.writeNow();
  }

  /** An epoch was opened or ended. */
  ownerChanged(): void {
    // Of the new epoch, or the last of the old one that came since.
    this.ownershipEnding();
    this.claim = this.deps.outbox.currentClaim();
  }

  /** Ends what runs. What cannot be stored now is lost. */
  stop(): void {
    this.cameraClosed();
    this.writer.writeNow();
  }

  status(): ClipsStatus {
    const { builder, writer, reader, info, deps } = this;
    const { ring } = builder;
    const nowMs = deps.clock.monotonicMs();
    return {
      state: this.stateAt(nowMs),
      info,
      heldMs: ring.heldMs,
      heldBytes: ring.heldBytes,
      limits: deps.limits,
      runningMs: builder.running.map(({ firstMs, lastMs }) => lastMs - firstMs),
      waitingBytes: writer.waitingBytes,
      fault: reader.lastFault,
      lastLoss: writer.lastLoss,
    };
  }

  private addUnit(unit: VideoUnit): void {
    if (!this.mayKeep(unit.monotonicMs) || unit.monotonicMs < this.fromMs) return;
    if (this.info !== null) this.deps.onUnit?.(unit, this.info);
    this.builder.addUnit(unit);
  }

  /** Reports whether what is filmed at this time may be kept. Where it may not, the running clips end and the ring is emptied. */
  private mayKeep(monotonicMs: number): boolean {
    const reason = this.reasonAt(monotonicMs);
    const { ring } = this.builder;
    if (reason !== null) {
      if (reason !== this.reason) this.builder.wipe();
      if (reason === 'masked' && reason !== this.reason) this.reader.report(masked());
      this.fromMs = Math.max(this.fromMs, monotonicMs + ENCODER_DELAY_MAX_MS);
    } else if (ring.firstMs !== null && this.reasonAt(ring.firstMs) !== null) {
      // The clock was set: by the one of now, this was filmed at a time that is not allowed.
      ring.clear();
    }
    this.reason = reason;
    return reason === null;
  }

  private reasonAt(monotonicMs: number): ClipsState | null {
    if (this.claim === null) return 'no-owner';
    if (!isVersionTwo(this.claim.value)) return 'version-1';
    return this.deps.forbidden(monotonicMs);
  }

  private stateAt(nowMs: number): ClipsState {
    const reason = this.reasonAt(nowMs);
    if (reason !== null) return reason;
    if (!this.isOpen) return 'camera-closed';
    return this.info === null ? 'no-video' : 'filming';
  }

  private tick(): void {
    const { clock, log } = this.deps;
    this.cancelTick();
    guard(log, 'a clip could not be ended', () => {
      // No unit may come for seconds, and what may not be kept ends now.
      this.mayKeep(clock.monotonicMs());
      this.builder.tick(clock.monotonicMs());
    });
    this.cancelTick = clock.after(TICK_MS, () => {
      this.tick();
    });
  }
}

function masked(): SealcamError {
  return new SealcamError('video-unsupported', 'an encoder sees what privacy.masks hide', {
    hint: 'Set clip.codec to jpeg, whose frames are masked one by one.',
  });
}
