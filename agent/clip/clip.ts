import { LIMITS } from '../../common/limits.js';
import type { VideoCodec, VideoUnit } from '../../hal/video-source.js';
import type { RecordClip } from '../../protocol/objects/clip.js';
import { Segmenter, type Segment } from './segmenter.js';

/** Which clip: its event, and its number in the event. */
export interface ClipName {
  readonly eventId: Uint8Array;
  readonly number: number;
}

/** What one record of a clip will name. */
export interface ClipPart extends ClipName {
  readonly phase: RecordClip['phase'];
  /** Index of the first segment in the clip. */
  readonly firstIndex: number;
  readonly segments: readonly Segment[];
  /** Time of the last unit in it. */
  readonly atMs: number;
}

/** A segment waits no longer for its record. */
const PART_EVERY_MS = 4000;

/** One clip while it runs: its units become the parts of its records. */
export class Clip {
  readonly name: ClipName;
  readonly firstMs: number;
  private readonly segmenter: Segmenter;
  private ready: Segment[] = [];
  /** Time of the last unit. */
  private latestMs: number;
  private lastPartMs = -Infinity;
  private isStarted = false;
  private isFaulty = false;
  /** Segments that left in parts. */
  private named = 0;

  /** `first` is a key unit. */
  constructor(name: ClipName, codec: VideoCodec, framesPerSecond: number, first: VideoUnit) {
    this.name = name;
    this.firstMs = first.monotonicMs;
    this.latestMs = first.monotonicMs;
    this.segmenter = new Segmenter(codec, framesPerSecond);
  }

  get lastMs(): number {
    return this.latestMs;
  }

  /** Whether no record could name another segment. */
  get isFull(): boolean {
    return this.named + this.ready.length + 2 >= LIMITS.clipSegmentsMax;
  }

  /** Adds a unit. @throws SealcamError `video-corrupt`, `video-unsupported`; then the clip can only end, without this unit */
  add(unit: VideoUnit): void {
    this.latestMs = unit.monotonicMs;
    this.isFaulty = true;
    this.ready.push(...this.segmenter.add(unit));
    this.isFaulty = false;
  }

  /** Returns the parts that are due, all of what is there with `isAtOnce`. The first one needs a picture. */
  due(isAtOnce = false): readonly ClipPart[] {
    if (isAtOnce) this.ready.push(...this.segmenter.cutNow());
    // The next segment may take its longest to come.
    const isDue = isAtOnce || this.lastMs - this.lastPartMs > PART_EVERY_MS - LIMITS.segmentMaxMs;
    const hasContent = this.ready.length > (this.isStarted ? 0 : 1);
    return isDue && hasContent ? this.parts() : [];
  }

  /** Ends the clip. Returns its last parts; none where it never had a picture. */
  end(): readonly ClipPart[] {
    this.ready.push(...(this.isFaulty ? this.segmenter.cutNow() : this.segmenter.flush()));
    if (this.ready.length < 2 && !this.isStarted) return [];
    const before = this.isStarted && this.ready.length <= LIMITS.clipRecordSegmentsMax ? [] : this.parts();
    return [...before, this.part('end', this.ready.splice(0))];
  }

  private parts(): readonly ClipPart[] {
    const parts: ClipPart[] = [];
    while (this.ready.length > 0) {
      parts.push(this.part(this.isStarted ? 'more' : 'start', this.ready.splice(0, LIMITS.clipRecordSegmentsMax)));
    }
    this.lastPartMs = this.lastMs;
    return parts;
  }

  private part(phase: ClipPart['phase'], segments: readonly Segment[]): ClipPart {
    const firstIndex = this.named;
    this.named += segments.length;
    this.isStarted = true;
    return { ...this.name, phase, firstIndex, segments, atMs: this.lastMs };
  }
}
