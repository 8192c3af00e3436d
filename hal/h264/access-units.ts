import { SealcamError } from '../../common/errors.js';
import { findStartCode, NAL } from './nal.js';

/** Larger than a key picture of 3840×2160 at the best quality. */
const UNIT_MAX_BYTES = 8 * 1024 * 1024;
/** A larger buffer is given back once it is empty. */
const BUFFER_KEPT_MAX_BYTES = 256 * 1024;
/** Bytes before the first unit, or after a torn one. */
const SKIPPED_MAX_BYTES = 2 * 1024 * 1024;

/** One coded picture with what belongs to it. */
export interface AccessUnit {
  readonly bytes: Uint8Array;
  /** Holds an IDR picture. */
  readonly isKey: boolean;
  /** Refers to a later picture, so that order of decoding is not order of showing. */
  readonly isBidirectional: boolean;
  /** When its first byte came. */
  readonly beganMs: number;
}

/**
 * Splits a byte stream of H.264 (Annex B) into access units: at each delimiter, and without delimiters at the first unit that cannot
 * belong to the picture before it (7.4.1.2.3). What is unit and what is picture is read from two bytes; nothing is decoded.
 */
export class AccessUnitSplitter {
  /** Bytes before the first unit, and of torn ones. */
  skippedBytes = 0;
  private buffer = new Uint8Array(0);
  private length = 0;
  /** Where the next start code is looked for. */
  private at = 0;
  private isSearching = true;
  private skippedNow = 0;
  private unit: { hasPicture: boolean; isKey: boolean; isBidirectional: boolean; beganMs: number } | null = null;

  /**
   * Adds bytes that came at `nowMs`, and yields the units that they complete: one is whole when the next begins.
   * @throws SealcamError `video-corrupt` at what is not H.264; the splitter then skips to the next delimiter or parameter set
   */
  *push(chunk: Uint8Array, nowMs: number): Generator<AccessUnit> {
    this.append(chunk);
    for (;;) {
      const start = findStartCode(this.buffer, this.at, this.length);
      // Header and first byte of the payload decide.
      if (start < 0 || start + 4 >= this.length) {
        this.at = start < 0 ? Math.max(this.at, this.length - 2) : start;
        break;
      }
      const done = this.readNal(start, nowMs);
      if (done !== null) yield done;
    }
    if (this.isSearching) this.skip(Math.min(Math.max(0, this.at - 1), Math.max(0, this.length - 4)));
    if (this.skippedNow > SKIPPED_MAX_BYTES) throw this.torn('no unit', this.length);
    if (this.length > UNIT_MAX_BYTES)
      throw this.torn(`a unit of more than ${String(UNIT_MAX_BYTES)} bytes`, this.length);
  }

  /** Returns the unit at the end of the stream, which no other follows. */
  end(): AccessUnit | null {
    const done = this.unit?.hasPicture === true ? this.cut(this.length) : null;
    this.unit = null;
    this.drop(this.length);
    return done;
  }

  /** Takes note of the unit whose start code is at `start`. Returns the access unit that ends before it. */
  private readNal(start: number, nowMs: number): AccessUnit | null {
    const header = this.buffer[start + 3] ?? 0;
    const next = this.buffer[start + 4] ?? 0;
    const type = header & 0x1f;
    if (this.isSearching) {
      if ((type !== NAL.delimiter && type !== NAL.sps) || header >= 0x80) {
        this.at = start + 3;
        return null;
      }
      const first = this.firstByteOf(start);
      this.skip(first);
      this.isSearching = false;
      this.skippedNow = 0;
      return this.begin(start - first, type, next, nowMs);
    }
    const isPicture = type === NAL.slice || type === NAL.idr;
    const isKnown = isPicture || (type >= NAL.sei && type <= 19);
    if (header >= 0x80 || !isKnown) throw this.torn(`a unit of type ${String(type)}`, start + 3);
    const { unit } = this;
    if (unit === null) return this.begin(start, type, next, nowMs);
    // The first bit of a slice is 1 where it is the first of its picture.
    const isNew = isPicture ? next >= 0x80 : type <= NAL.delimiter || (type >= 14 && type <= 18);
    if (unit.hasPicture && isNew) {
      const end = this.firstByteOf(start);
      const done = this.cut(end);
      this.drop(end);
      this.begin(start - end, type, next, nowMs);
      return done;
    }
    if (type === NAL.delimiter) throw this.torn('a unit without a picture', start);
    this.note(type, next);
    this.at = start + 3;
    return null;
  }

  /** A start code of four bytes begins with the zero before it. */
  private firstByteOf(start: number): number {
    return this.buffer[start - 1] === 0 ? start - 1 : start;
  }

  private begin(start: number, type: number, next: number, nowMs: number): null {
    this.unit = { hasPicture: false, isKey: false, isBidirectional: false, beganMs: nowMs };
    this.note(type, next);
    this.at = start + 3;
    return null;
  }

  private note(type: number, next: number): void {
    const { unit } = this;
    if (unit === null || (type !== NAL.slice && type !== NAL.idr)) return;
    const isKey = type === NAL.idr;
    if (unit.hasPicture && unit.isKey !== isKey) throw this.torn('a picture of two kinds', this.at);
    // first_mb_in_slice = 0 is the bit 1; slice_type follows as Exp-Golomb: 010 is 1 and 00111 is 6, both B.
    const isB = next >> 4 === 0b1010 || next >> 2 === 0b100111;
    unit.hasPicture = true;
    unit.isKey = isKey;
    unit.isBidirectional ||= isB;
  }

  private cut(end: number): AccessUnit {
    const { isKey = false, isBidirectional = false, beganMs = 0 } = this.unit ?? {};
    return { bytes: this.buffer.slice(0, end), isKey, isBidirectional, beganMs };
  }

  /** Skips what was read of a torn unit, and returns the error for it. */
  private torn(what: string, upTo: number): SealcamError {
    this.unit = null;
    this.isSearching = true;
    this.skip(upTo);
    this.skippedNow = 0;
    return new SealcamError('video-corrupt', `the video holds ${what}`);
  }

  /** Adds bytes to the buffer, which grows to the size that the units need and then stays. */
  private append(chunk: Uint8Array): void {
    const length = this.length + chunk.length;
    if (length > this.buffer.length) {
      const larger = new Uint8Array(Math.max(length, Math.min(2 * this.buffer.length, UNIT_MAX_BYTES)));
      larger.set(this.buffer.subarray(0, this.length));
      this.buffer = larger;
    }
    this.buffer.set(chunk, this.length);
    this.length = length;
  }

  private skip(count: number): void {
    this.skippedBytes += count;
    this.skippedNow += count;
    this.drop(count);
  }

  private drop(count: number): void {
    this.buffer.copyWithin(0, count, this.length);
    this.length -= count;
    this.at = Math.max(0, this.at - count);
    if (this.length === 0 && this.buffer.length > BUFFER_KEPT_MAX_BYTES) this.buffer = new Uint8Array(0);
  }
}
