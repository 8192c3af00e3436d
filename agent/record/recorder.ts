import { equal } from '../../common/bytes.js';
import type { Counters } from '../../common/counters.js';
import { ERROR_CODES } from '../../common/error-codes.js';
import { asSealcamError } from '../../common/errors.js';
import { guard } from '../../common/guard.js';
import type { Log } from '../../common/log.js';
import type { Random } from '../../common/random.js';
import type { Frame } from '../../hal/camera.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import type { LossReason, RecordEvent, RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { SealedDetail } from '../../protocol/seal/content.js';
import type { Box } from '../capture/detect/observation.js';
import type { Sighting, Transition } from '../capture/event-tracker.js';
import { fitThumbnail, type PictureSettings } from '../capture/jpeg.js';
import { boxWithin, cropFor } from '../capture/picture-choice.js';
import type { Outbox, SealedMedia } from '../outbox/outbox.js';
import { PICTURE_MAX_BYTES, pictureRoom, type Sealer } from './sealer.js';
import { EventGate } from './withheld.js';

export interface RecorderSettings {
  readonly thumbnail: PictureSettings & { readonly maxBytes: number; readonly crop: 'none' | 'subject' };
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
  private settings: RecorderSettings;
  private readonly gate: EventGate;
  private event: OpenEvent | null = null;
  /** Of the event whose start was queued last; null where that was not to be recorded. */
  private queuedId: Uint8Array | null = null;
  private smallestRoom = Infinity;
  private waiting = 0;
  private waitingBytes = 0;
  /** Losses that could not be stored yet, on a full disk for example. */
  private unsaid = 0;
  private isAbandoned = false;
  private work: Promise<void> = Promise.resolve();

  constructor(deps: RecorderDependencies, settings: RecorderSettings) {
    this.deps = deps;
    this.settings = settings;
    this.gate = new EventGate(settings.maxEventsPerHour, deps);
  }

  configure(settings: RecorderSettings): void {
    this.settings = settings;
    this.gate.configure(settings.maxEventsPerHour);
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
    const room = this.pictureRoom();
    const shownAgain = transition.type === 'end' && transition.sighting === null ? tooLargeNow(event, room) : null;
    const told = shownAgain === null ? transition : { ...transition, sighting: shownAgain };
    const { sighting } = told;
    const picture = await this.thumbnail(sighting, room ?? PICTURE_MAX_BYTES);
    const decoded = nowMs();
    const { media, tooLarge } = await this.sealed(told, claim, event, picture);
    // Counted as lost already.
    if (this.isAbandoned) return;
    const sealed = nowMs();
    const isNewPicture = media.media.role === 'thumbnail';
    if (picture.type === 'picture' && sighting !== null) event.shown = { sighting, bytes: picture.jpeg.length };
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
        ...(tooLarge ? { loss: [{ reason: lost, count: 1 }] } : {}),
      },
      [media],
      claim.hash,
    );
    if (record === null) return;
    if (isNewPicture) event.picture = media.media.id;
    onRecorded({
      phase: transition.type,
      seq: record.value.seq,
      decidedMs: decidedAtMs - atMs,
      thumbnailMs: decoded - started,
      sealMs: sealed - decoded,
      storeMs: nowMs() - sealed,
    });
  }

  /** Returns the largest picture that the broker takes, null if it takes none: then one of the usual size waits. */
  private pictureRoom(): number | null {
    const room = pictureRoom(this.deps.messageTargetBytes());
    const { thumbnail } = this.settings;
    if (room !== null && room < Math.min(thumbnail.maxBytes, this.smallestRoom)) {
      this.smallestRoom = room;
      const { hint } = ERROR_CODES['broker-limit'];
      this.deps.log.warn({ code: 'broker-limit', bytes: room, hint }, 'pictures are made smaller, to fit the broker');
    }
    return room;
  }

  private async thumbnail(sighting: Sighting<Frame> | null, room: number): Promise<Picture> {
    if (sighting === null) return { type: 'none' };
    try {
      const { thumbnail } = this.settings;
      const crop = cropFor(thumbnail.crop, sighting.box);
      const maxBytes = Math.min(room, thumbnail.maxBytes);
      this.deps.counters.add('pictures.decoded');
      const fitted = await fitThumbnail(sighting.frame.jpeg, thumbnail, maxBytes, crop);
      if (fitted === null) return { type: 'too-large' };
      return { type: 'picture', jpeg: fitted.jpeg, size: [fitted.width, fitted.height], crop };
    } catch (error) {
      this.deps.counters.add('frames.corrupt');
      this.deps.log.warn({ code: asSealcamError(error).code }, 'the picture of an event could not be decoded');
      return { type: 'none' };
    }
  }

  private async sealed(
    transition: Transition<Frame>,
    claim: Verified<AnyClaim>,
    event: OpenEvent,
    picture: Picture,
  ): Promise<{ readonly media: SealedMedia; readonly tooLarge: boolean }> {
    const detail = detailOf(transition, picture);
    const { sealer } = this.deps;
    if (picture.type === 'picture') {
      const media = await sealer.seal(claim, event.id, 'thumbnail', { detail, jpeg: picture.jpeg });
      return { media, tooLarge: false };
    }
    const media = await sealer.seal(claim, event.id, 'detail', { detail, jpeg: null });
    return { media, tooLarge: picture.type === 'too-large' };
  }
}

/** A picture that the broker turned out not to take is made again, smaller, from the frame that is still there. */
function tooLargeNow({ shown }: OpenEvent, room: number | null): Sighting<Frame> | null {
  return shown !== null && room !== null && shown.bytes > room ? shown.sighting : null;
}

type Picture =
  | {
      readonly type: 'picture';
      readonly jpeg: Uint8Array;
      readonly size: readonly [number, number];
      /** The part of the camera's view that it shows; null for all of it. */
      readonly crop: Box | null;
    }
  | { readonly type: 'none' }
  | { readonly type: 'too-large' };

function detailOf(transition: Transition<Frame>, picture: Picture): SealedDetail {
  const { span, sighting } = transition;
  const scale = (fraction: number): number => Math.round(Math.min(1, Math.max(0, fraction)) * 65_535);
  const seen = sighting?.box ?? null;
  const crop = picture.type === 'picture' ? picture.crop : null;
  // The box is drawn on the picture, so it is in fractions of the picture's part of the view.
  const box = seen === null || crop === null ? seen : boxWithin(crop, seen);
  const zones = sighting?.zones ?? [];
  const area = transition.type === 'end' ? transition.peakArea : transition.sighting.area;
  return {
    reason: transition.type === 'end' ? transition.reason : 'motion',
    area: Math.round(Math.min(1, area) * 1000),
    startedMs: Math.max(0, Math.round(span.onsetMs)),
    ...(box === null ? {} : { box: [scale(box.left), scale(box.top), scale(box.width), scale(box.height)] as const }),
    ...(zones.length === 0 ? {} : { zones: zones.slice(0, 8) }),
    ...(transition.type === 'end' ? { endedMs: Math.max(0, Math.round(transition.endMs)) } : {}),
    ...(picture.type === 'picture' ? { size: picture.size } : {}),
  };
}
