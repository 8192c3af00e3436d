import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { VideoCodec, VideoUnit } from '../../hal/video-source.js';
import { fragment, FRAGMENT_BYTES, type Sample } from './boxes.js';
import { MEDIA, type Media } from './media.js';

/** A piece of a clip. Number 0 is the initialisation; all of them in a row are a file that plays. */
export interface Segment {
  readonly bytes: Uint8Array;
  /** Begins with a key unit, or is the initialisation; any other continues the segment before it. */
  readonly isSync: boolean;
  readonly durationMs: number;
}

/** A segment of at least this length ends before the next key unit, so that most begin with one. */
const KEY_CUT_MIN_MS = 1000;

/** Cuts the units of one clip, the first of them a key unit, into segments. */
export class Segmenter {
  private readonly codec: VideoCodec;
  private readonly media: Media;
  private samples: Sample[] = [];
  private bytes = 0;
  private samplesMs = 0;
  private sequence = 0;
  /** From the start of the clip to that of the open segment. */
  private startMs = 0;
  /** The last unit, whose duration is known with the next one. */
  private last: VideoUnit | null = null;
  private lastDurationMs: number;

  /** @param framesPerSecond gives the duration of the last unit where it is the only one */
  constructor(codec: VideoCodec, framesPerSecond: number) {
    this.codec = codec;
    this.media = MEDIA[codec];
    this.lastDurationMs = Math.max(1, Math.round(1000 / Math.max(1, framesPerSecond)));
  }

  /** Adds a unit. Returns the segments that it completes. @throws SealcamError `video-corrupt`, `video-unsupported` */
  add(unit: VideoUnit): readonly Segment[] {
    const { last } = this;
    this.last = unit;
    if (last === null) {
      return this.sequence > 0 ? [] : [{ bytes: this.media.initialise(unit.bytes), isSync: true, durationMs: 0 }];
    }
    // Two units may come in the same millisecond, and no segment holds a longer hole.
    this.lastDurationMs = Math.min(LIMITS.segmentMaxMs, Math.max(1, unit.monotonicMs - last.monotonicMs));
    return this.append(last, this.lastDurationMs);
  }

  /** Returns what is complete as a segment: all but the last unit. */
  cutNow(): readonly Segment[] {
    return this.samples.length === 0 ? [] : [this.cut()];
  }

  /** Returns what is still open as segments: the clip ends. Units may follow. */
  flush(): readonly Segment[] {
    const { last } = this;
    this.last = null;
    const done = last === null ? [] : [...this.append(last, this.lastDurationMs)];
    return [...done, ...this.cutNow()];
  }

  private append({ bytes, isKey }: VideoUnit, durationMs: number): readonly Segment[] {
    const parts = this.media.sampleOf(bytes);
    const sample = { parts, length: parts.reduce((sum, part) => sum + part.length, 0), isKey, durationMs };
    const sampleBytes = sample.length + FRAGMENT_BYTES.perSample;
    if (sampleBytes + FRAGMENT_BYTES.fixed > LIMITS.segmentMaxBytes) {
      throw new SealcamError('video-unsupported', `a picture of ${String(sample.length)} bytes`, {
        hint: 'Lower the size, the quality or the bit rate of the camera.',
      });
    }
    const isFull =
      this.samplesMs + durationMs > LIMITS.segmentMaxMs ||
      this.bytes + sampleBytes + FRAGMENT_BYTES.fixed > LIMITS.segmentMaxBytes ||
      (isKey && this.codec === 'h264' && this.samplesMs >= KEY_CUT_MIN_MS);
    const done = isFull && this.samples.length > 0 ? [this.cut()] : [];
    this.samples.push(sample);
    this.bytes += sampleBytes;
    this.samplesMs += durationMs;
    return done;
  }

  private cut(): Segment {
    const { samples, samplesMs, startMs } = this;
    const bytes = fragment(++this.sequence, startMs, samples);
    this.samples = [];
    this.bytes = 0;
    this.samplesMs = 0;
    this.startMs = startMs + samplesMs;
    return { bytes, isSync: samples[0]?.isKey === true, durationMs: samplesMs };
  }
}
