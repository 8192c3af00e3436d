import { equal } from '../../common/bytes.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { readJpegSize } from '../../common/jpeg-size.js';
import { KEY_INTERVAL_MAX_MS, type VideoInfo, type VideoUnit } from '../../hal/video-source.js';
import { Clip, type ClipName, type ClipPart } from './clip.js';
import { UnitRing, type RingLimits } from './unit-ring.js';

/** A clip is at least this long, unless its video ends. */
const CLIP_MIN_MS = 10_000;
/** The clips of one event are no longer than this together; the last unit of one may last a second. */
const CLIP_MAX_MS = 60_000;
const LAST_UNIT_MAX_MS = 1000;
/** A clip goes on after the last motion. */
const CLIP_AFTER_MOTION_MS = 5000;
/** A longer hole between two units ends a clip: what follows is another one. */
const HOLE_MAX_MS = KEY_INTERVAL_MAX_MS;
/** Clips that run at one time: an event may start while the clip of the one before it is still short. */
const CLIPS_MAX = 3;

interface FilmedEvent {
  readonly id: Uint8Array;
  /** Null while it goes on. */
  lastMotionMs: number | null;
  /** Time up to which its clips may go, from the first one's start. */
  untilMs: number;
  /** Number of its next clip. */
  next: number;
}

export interface BuilderDependencies {
  readonly onPart: (part: ClipPart) => void;
  /** The video cannot be used as it is: torn, changed, too large. Clips go on, or begin again. */
  readonly onFault: (error: SealcamError) => void;
}

/**
 * Builds clips out of units and of the starts and ends of events. Time comes with units and events, on one clock.
 *
 * A clip begins with what the ring holds, is at least {@link CLIP_MIN_MS} long, and ends {@link CLIP_AFTER_MOTION_MS} after the last
 * motion. An event that starts meanwhile begins a clip of its own out of the same ring, so that each event has its pre-roll; the clip
 * before it ends as soon as it is long enough.
 */
export class ClipBuilder {
  readonly ring: UnitRing;
  private readonly deps: BuilderDependencies;
  private info: VideoInfo | null = null;
  private event: FilmedEvent | null = null;
  private clips: Clip[] = [];
  private lastMs: number | null = null;
  /** Size of the JPEG units, which no encoder announces. */
  private size = '';

  constructor(limits: RingLimits, deps: BuilderDependencies) {
    this.ring = new UnitRing(limits);
    this.deps = deps;
  }

  /** Clips that run now. */
  get running(): readonly Pick<Clip, 'name' | 'firstMs' | 'lastMs'>[] {
    return this.clips;
  }

  /** The video begins, or begins again. */
  videoStarted(info: VideoInfo): void {
    this.videoEnded();
    this.info = info;
  }

  /** What follows does not continue what was: running clips end, and the event may go on in another one. */
  videoEnded(): void {
    for (const clip of this.clips) this.end(clip);
    this.ring.clear();
    this.lastMs = null;
    this.size = '';
  }

  /** Ends everything at what was added so far, and forgets it and its event. */
  wipe(): void {
    this.videoEnded();
    this.event = null;
  }

  /** Forgets a clip that cannot be kept; its event gets no other. */
  giveUp({ eventId, number }: ClipName): void {
    this.clips = this.clips.filter(({ name }) => name.number !== number || !equal(name.eventId, eventId));
    if (this.event !== null && equal(this.event.id, eventId)) this.event = null;
  }

  /** An event starts, and takes the ring. */
  eventStarted(id: Uint8Array, atMs: number): void {
    this.event = { id, lastMotionMs: null, untilMs: lastUnitMs(atMs), next: 0 };
    for (const clip of this.clips) this.endIfDue(clip);
    this.begin(atMs);
  }

  eventEnded(id: Uint8Array, lastMotionMs: number): void {
    if (this.event !== null && equal(this.event.id, id)) this.event.lastMotionMs = lastMotionMs;
  }

  addUnit(unit: VideoUnit): void {
    this.checkContinuity(unit);
    this.lastMs = unit.monotonicMs;
    this.ring.add(unit);
    for (const clip of this.clips) this.addTo(clip, unit);
    for (const clip of this.clips) this.endIfDue(clip);
    if (unit.isKey) this.begin(unit.monotonicMs);
  }

  /** Ends the clips of a video that fell silent. */
  tick(nowMs: number): void {
    if (this.lastMs !== null && nowMs - this.lastMs > HOLE_MAX_MS) this.videoEnded();
  }

  private checkContinuity({ bytes, monotonicMs }: VideoUnit): void {
    const { lastMs, size, info } = this;
    if (info?.codec === 'jpeg') {
      const { width = 0, height = 0 } = readJpegSize(bytes) ?? {};
      this.size = `${String(width)}x${String(height)}`;
      if (size !== '' && size !== this.size) {
        this.deps.onFault(new SealcamError('video-changed', `the pictures changed from ${size} to ${this.size}`));
        this.videoEnded();
        return;
      }
    }
    if (lastMs !== null && (monotonicMs < lastMs || monotonicMs - lastMs > HOLE_MAX_MS)) this.videoEnded();
  }

  /** Begins a clip of the event that goes on, if it has none and there is a unit to begin with. */
  private begin(nowMs: number): void {
    const { event, info, ring } = this;
    if (event === null || info === null || nowMs >= this.endMs(event)) return;
    if (this.clips.some(({ name }) => equal(name.eventId, event.id))) return;
    const { units } = ring;
    const [first] = units;
    if (first === undefined) return;
    const [oldest] = this.clips;
    if (oldest !== undefined && this.clips.length >= CLIPS_MAX) this.end(oldest);
    if (event.next === 0) event.untilMs = lastUnitMs(first.monotonicMs);
    const clip = new Clip({ eventId: event.id, number: event.next++ }, info.codec, info.framesPerSecond, first);
    this.clips.push(clip);
    for (const unit of units) this.addTo(clip, unit, false);
    if (this.clips.includes(clip)) this.emit(clip.due(true));
  }

  private addTo(clip: Clip, unit: VideoUnit, isEmitted = true): void {
    // Given up with a unit before this one.
    if (!this.clips.includes(clip)) return;
    try {
      clip.add(unit);
    } catch (error) {
      this.deps.onFault(asSealcamError(error));
      this.end(clip);
      // The next key unit would be the same.
      if (this.event !== null && equal(this.event.id, clip.name.eventId)) this.event = null;
      return;
    }
    if (isEmitted) this.emit(clip.due());
    if (clip.isFull) this.end(clip);
  }

  private endIfDue(clip: Clip): void {
    const { event } = this;
    const isOfEvent = event !== null && equal(event.id, clip.name.eventId);
    const endMs = isOfEvent ? Math.max(this.endMs(event), minEndMs(clip, event)) : clip.firstMs + CLIP_MIN_MS;
    if (clip.lastMs < endMs) return;
    this.end(clip);
    if (isOfEvent) this.event = null;
  }

  /** Time at which the clips of an event end. */
  private endMs({ lastMotionMs, untilMs }: FilmedEvent): number {
    return lastMotionMs === null ? untilMs : Math.min(untilMs, lastMotionMs + CLIP_AFTER_MOTION_MS);
  }

  private end(clip: Clip): void {
    this.clips = this.clips.filter((each) => each !== clip);
    this.emit(clip.end());
  }

  private emit(parts: readonly ClipPart[]): void {
    for (const part of parts) this.deps.onPart(part);
  }
}

/** Returns the time up to which the clips of an event go that begin at a time. */
function lastUnitMs(firstMs: number): number {
  return firstMs + CLIP_MAX_MS - LAST_UNIT_MAX_MS;
}

function minEndMs({ firstMs }: Clip, { untilMs }: FilmedEvent): number {
  return Math.min(untilMs, firstMs + CLIP_MIN_MS);
}
