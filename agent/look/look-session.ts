import type { Counters } from '../../common/counters.js';
import { asSealcamError } from '../../common/errors.js';
import { Thinner } from '../../hal/thinner.js';
import type { VideoInfo, VideoUnit } from '../../hal/video-source.js';
import type { Place } from '../outbox/outbox.js';
import type { LiveSealer } from '../../protocol/transport/live-session.js';
import { LiveFilm, type LivePart } from './live-film.js';

/** The way to the viewers. */
export interface LiveLink {
  /** Whether a live picture may leave now: the connection is there, and little waits in it. */
  readonly hasLiveRoom: boolean;
  /** The largest message that the broker takes. */
  readonly liveMessageMaxBytes: number;
  /** Whether the record was handed to the broker. */
  wasPublished(place: Place): boolean;
  publishLive(message: Uint8Array): void;
}

export interface SessionStart {
  readonly sealer: LiveSealer;
  readonly link: LiveLink;
  readonly counters: Counters;
  /** Of the record that answers the order. */
  readonly answer: Place;
  /** When the light was on. What was captured before is not shown. */
  readonly fromMs: number;
}

const JPEG_FRAMES_PER_SECOND_MAX = 4;
/** The time of a video unit is that of its arrival, and an encoder gives what it took in a moment before. */
const ENCODER_DELAY_MAX_MS = 500;
/** Without a unit for this long the frames are shown again. */
const VIDEO_SILENCE_MS = 3000;

/** What one viewer is sent: JPEG frames at once, and the camera's own H.264 from its next key unit on, where there is one. */
export class LookSession {
  private readonly start: SessionStart;
  private readonly film = new LiveFilm();
  private readonly thinner = new Thinner(JPEG_FRAMES_PER_SECOND_MAX);
  private lastUnitMs: number | null = null;
  /** A unit was dropped: those that build on it wait for the next key unit. */
  private isBroken = false;
  private isAnswered = false;
  private droppedCount = 0;

  constructor(start: SessionStart) {
    this.start = start;
  }

  /** Messages that were sent. */
  get sent(): number {
    return this.start.sealer.messages;
  }

  /** Pictures that were not sent. */
  get dropped(): number {
    return this.droppedCount;
  }

  /** Whether the frame of this time is to be shown. */
  wantsFrame(capturedMs: number): boolean {
    const isVideo = this.lastUnitMs !== null && capturedMs - this.lastUnitMs < VIDEO_SILENCE_MS;
    return !isVideo && this.isAllowed(capturedMs) && this.thinner.keeps(capturedMs);
  }

  addFrame(jpeg: Uint8Array, capturedMs: number): void {
    this.lastUnitMs = null;
    this.send(() => this.film.jpeg(jpeg, Math.round(capturedMs)));
  }

  addUnit(unit: VideoUnit, info: VideoInfo): void {
    if (!this.isAllowed(unit.monotonicMs - ENCODER_DELAY_MAX_MS)) return;
    // Until the first key unit the frames are shown.
    if (this.lastUnitMs === null && !unit.isKey) return;
    this.lastUnitMs = unit.monotonicMs;
    if (this.isBroken && !unit.isKey) {
      this.droppedCount++;
      return;
    }
    this.isBroken = !this.send(() => this.film.h264(unit, info));
  }

  /** Says that nothing follows, and forgets the key. */
  end(): void {
    if (this.isAnswered) this.publish([{ kind: 'end', plaintext: new Uint8Array(0) }]);
    this.start.sealer.wipe();
  }

  /** Captured with the light on, and after the record that says who looks has left. */
  private isAllowed(capturedMs: number): boolean {
    const { link, answer, fromMs } = this.start;
    if (capturedMs <= fromMs) return false;
    this.isAnswered ||= link.wasPublished(answer);
    return this.isAnswered;
  }

  /** Sends a picture where there is room. Returns whether it left. */
  private send(make: () => readonly LivePart[]): boolean {
    const { link, counters } = this.start;
    try {
      if (link.hasLiveRoom) {
        this.publish(make());
        return true;
      }
      counters.add('look.dropped');
    } catch (error) {
      // A picture that is torn or too large.
      counters.add(`look.${asSealcamError(error).code}`);
    }
    this.droppedCount++;
    this.film.forget();
    return false;
  }

  private publish(parts: readonly LivePart[]): void {
    const { link, sealer } = this.start;
    for (const { kind, plaintext } of parts)
      for (const message of sealer.seal(kind, plaintext, link.liveMessageMaxBytes)) link.publishLive(message);
  }
}
