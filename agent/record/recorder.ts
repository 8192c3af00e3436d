import { equal } from '../../common/bytes.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError } from '../../common/errors.js';
import { guard } from '../../common/guard.js';
import type { Log } from '../../common/log.js';
import type { Random } from '../../common/random.js';
import type { Frame } from '../../hal/camera.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import type { LossReason, RecordEvent, RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import type { Sighting, Transition } from '../capture/event-tracker.js';
import type { Outbox } from '../outbox/outbox.js';
import { EventPictures, type EventPictureSettings } from './event-pictures.js';
import { PICTURE_MAX_BYTES, type Sealer } from './sealer.js';
import { EventGate } from './withheld.js';

export interface RecorderSettings {
  readonly thumbnail: EventPictureSettings;
  /** 0: no limit. */
  readonly maxEventsPerHour: number;
}

export interface RecorderDependencies {
  readonly outbox: Outbox;
  readonly sealer: Sealer;
  readonly random: Random;
  readonly counters: Counters;
  readonly log: Log;
  /** The size that a message should keep to, as the broker allows; null without a limit. */
  readonly messageTargetBytes: () => number | null;
  /** Record time of a frame. */
  readonly timeOf: (monotonicMs: number) => RecordTime;
  /** A record was stored; for measurements. */
  readonly onRecorded: (stages: StageTimes) => void;
  /** Monotonic milliseconds for measuring stages. */
  readonly nowMs: () => number;
  /** A transition of an event that has an owner was queued; {@link Recorder.idle} resolves once it is recorded. */
  readonly onQueued?: (transition: Transition<Frame>, eventId: Uint8Array, claim: Verified<AnyClaim>) => void;
}

/** How long each stage of one record took, in milliseconds. */
export interface StageTimes {
  readonly phase: Transition<Frame>['type'];
  readonly seq: number;
  /** From the capture of the frame to the decision that it belongs to an event. */
  readonly decidedMs: number;
  readonly thumbnailMs: number;
  readonly sealMs: number;
  readonly storeMs: number;
}

interface OpenEvent {
  readonly id: Uint8Array;
  /** The claim it started under; it ends with that claim. */
  readonly claimHash: Uint8Array;
  revision: number;
  picture: Uint8Array | null;
  /** What the picture was made from, while it can be made smaller. */
  shown: { readonly sighting: Sighting<Frame>; readonly bytes: number } | null;
}

/** With this many transitions waiting, sealing cannot keep up: further updates are dropped and counted. */
const WAITING_TRANSITIONS_MAX = 32;
/** Frames of transitions that wait for the first period after a start, which takes some seconds. */
const WAITING_FRAMES_MAX_BYTES = 4 * 1024 * 1024;

/**
 * Turns transitions of events into signed records: thumbnail, seal, outbox, one after the other and beside the frames.
 * A transition that cannot be recorded is counted, and a signed gap names the loss.
 */
export class Recorder {
  private readonly deps: RecorderDependencies;
  private readonly gate: EventGate;
  private readonly pictures: EventPictures;
  private event: OpenEvent | null = null;
  /** Of the event whose start was queued last; null where that was not to be recorded. */
  private queuedId: Uint8Array | null = null;
  private waiting = 0;
  private waitingBytes = 0;
  /** Losses that could not be stored yet, on a full disk for example. */
  private unsaid = 0;
  private isAbandoned = false;
  private work: Promise<void> = Promise.resolve();

  constructor(deps: RecorderDependencies, settings: RecorderSettings) {
    this.deps = deps;
    this.gate = new EventGate(settings.maxEventsPerHour, deps);
    this.pictures = new EventPictures(settings.thumbnail, deps);
  }

  configure(settings: RecorderSettings): void {
    this.gate.configure(settings.maxEventsPerHour);
    this.pictures.configure(settings.thumbnail);
  }

  /**
   * Queues a transition; transitions are recorded in order, and errors never reach the caller.
   * An ordered one counts towards no limit.
   */
  recordTransition(transition: Transition<Frame>, isOrdered = false): void {
    const decidedAtMs = this.deps.nowMs();
    const { counters, outbox, random, onQueued } = this.deps;
    if (transition.type === 'start') this.queuedId = null;
    // The claim of now: an event that starts without an owner must not end in the records of a later one.
    const claim = outbox.currentClaim();
    if (!isOrdered && !this.gate.admits(transition.type, claim?.value ?? null, decidedAtMs)) return;
    counters.add(`events.${transition.type}`);
    if (this.waiting >= WAITING_TRANSITIONS_MAX && transition.type === 'update') {
      counters.add('updates.dropped');
      return;
    }
    const bytes = transition.sighting?.frame.jpeg.length ?? 0;
    if (claim !== null && !this.deps.sealer.isReady(claim) && !this.hasRoomToWait(bytes)) {
      counters.add('events.unsealed');
      this.unsaid++;
      this.countUnsaid();
      return;
    }
    if (transition.type === 'start') this.queuedId = random.bytes(16);
    const id = this.queuedId;
    this.waiting++;
    this.waitingBytes += bytes;
    this.work = this.work.then(async () => {
      try {
        await this.record(transition, id, claim, decidedAtMs);
      } catch (error) {
        this.fail(error);
      } finally {
        this.waiting--;
        this.waitingBytes -= bytes;
      }
    });
    if (id !== null && claim !== null) onQueued?.(transition, id, claim);
  }

  /** Records how many events were withheld, if a record is due, or now with `isLast`. Returns whether it did. */
  recordWithheld(time: RecordTime, isLast = false): boolean {
    this.countUnsaid();
    return this.gate.recordWithheld(time, isLast);
  }

  /** Whether an event has started and not ended, or a transition waits to be recorded. */
  get hasOpenEvent(): boolean {
    return this.event !== null || this.waiting > 0;
  }

  /** Resolves when every transition queued so far is recorded. */
  idle(): Promise<void> {
    return this.work;
  }

  /** Gives up what waits to be recorded, and counts it as lost. For a stop that cannot wait any longer. */
  abandon(): void {
    this.isAbandoned = true;
    this.unsaid += this.waiting;
    this.countUnsaid();
  }

  /** Whether another transition may wait in memory until something can be sealed. */
  private hasRoomToWait(bytes: number): boolean {
    return this.waiting < WAITING_TRANSITIONS_MAX && this.waitingBytes + bytes <= WAITING_FRAMES_MAX_BYTES;
  }

  private fail(error: unknown): void {
    if (this.isAbandoned) return;
    const { counters, log } = this.deps;
    const { code, message, hint } = asSealcamError(error);
    counters.add(`recorder.${code}`);
    log.error({ code, hint }, `an event could not be recorded: ${message}`);
    this.unsaid++;
    this.countUnsaid();
  }

  /** Adds the losses that were not stored yet to the outbox; they stay here if that fails. */
  private countUnsaid(): void {
    if (this.unsaid === 0) return;
    guard(this.deps.log, 'a loss could not be stored either; it is tried again', () => {
      this.deps.outbox.countLoss('failed', this.unsaid);
      this.unsaid = 0;
    });
  }

  private async record(
    transition: Transition<Frame>,
    id: Uint8Array | null,
    claim: Verified<AnyClaim> | null,
    decidedAtMs: number,
  ): Promise<void> {
    const { counters } = this.deps;
    if (this.isAbandoned) return;
    if (claim === null) {
      counters.add('events.unclaimed');
      this.event = null;
      return;
    }
    if (transition.type === 'start' && id !== null) {
      this.event = { id, claimHash: claim.hash, revision: 0, picture: null, shown: null };
    }
    const { event } = this;
    // The event started before the claim, or its start could not be recorded.
    if (event === null) return;
    const isInForce = await this.deps.sealer.ready(claim);
    if (!isInForce || !equal(event.claimHash, claim.hash)) {
      this.endWithClaim();
      return;
    }
    if (transition.type !== 'start') event.revision++;
    if (transition.type === 'end') this.event = null;
    await this.append(transition, claim, event, decidedAtMs);
  }

  private endWithClaim(): void {
    // Counted as lost already.
    if (this.isAbandoned) return;
    this.event = null;
    this.deps.counters.add('events.claim-changed');
    this.deps.outbox.countLoss('claim-changed');
  }

  private async append(
    transition: Transition<Frame>,
    claim: Verified<AnyClaim>,
    event: OpenEvent,
    decidedAtMs: number,
  ): Promise<void> {
    const { outbox, timeOf, nowMs, onRecorded } = this.deps;
    const started = nowMs();
    const room = this.pictures.room();
    const shownAgain = transition.type === 'end' && transition.sighting === null ? tooLargeNow(event, room) : null;
    const told = shownAgain === null ? transition : { ...transition, sighting: shownAgain };
    const { sighting } = told;
    const isFirst = transition.type === 'start' && isVersionTwo(claim.value);
    const picture = await this.pictures.make(told, room ?? PICTURE_MAX_BYTES, isFirst);
    const decoded = nowMs();
    const media = await this.pictures.seal(claim, event.id, picture);
    // Counted as lost already.
    if (this.isAbandoned) return;
    const sealed = nowMs();
    const isNewPicture = picture.type === 'picture';
    if (isNewPicture && sighting !== null) event.shown = { sighting, bytes: picture.jpeg.length };
    const content: RecordEvent = {
      id: event.id,
      phase: transition.type,
      revision: event.revision,
      ...(!isNewPicture && event.picture !== null ? { picture: event.picture } : {}),
    };
    const atMs = transition.type === 'end' ? transition.endMs : transition.sighting.timeMs;
    const lost: LossReason = 'too-large';
    const record = outbox.append(
      {
        kind: 'motion',
        time: timeOf(atMs),
        event: content,
        ...(picture.type === 'too-large' ? { loss: [{ reason: lost, count: 1 }] } : {}),
      },
      media,
      claim.hash,
    );
    if (record === null) return;
    const [shown] = media;
    if (isNewPicture && shown !== undefined) event.picture = shown.media.id;
    onRecorded({
      phase: transition.type,
      seq: record.value.seq,
      decidedMs: decidedAtMs - atMs,
      thumbnailMs: decoded - started,
      sealMs: sealed - decoded,
      storeMs: nowMs() - sealed,
    });
  }
}

/** A picture that the broker turned out not to take is made again, smaller, from the frame that is still there. */
function tooLargeNow({ shown }: OpenEvent, room: number | null): Sighting<Frame> | null {
  return shown !== null && room !== null && shown.bytes > room ? shown.sighting : null;
}
