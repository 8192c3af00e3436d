import { SealcamError } from '../common/errors.js';

/** Larger than an 8000×6000 JPEG at ordinary quality; a stream without an end marker is dropped at this size. */
const FRAME_MAX_BYTES = 16 * 1024 * 1024;

/** A larger buffer is given back once it is empty. */
const BUFFER_KEPT_MAX_BYTES = 1024 * 1024;

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;

/**
 * Splits a byte stream of JPEG files into files (ITU-T T.81, annex B). It walks the marker segments, so an end marker
 * inside a header or a thumbnail does not end the file. Bytes between files are skipped and counted.
 */
export class JpegSplitter {
  skippedBytes = 0;
  /** Its first `length` bytes are those of the stream that are not parsed, or not whole; the rest is room for more. */
  private buffer = new Uint8Array(0);
  private length = 0;
  /** How far the buffer is parsed, and whether that point is inside entropy-coded data. */
  private at = 0;
  private inScan = false;

  /**
   * Adds bytes, and returns the files that they complete.
   * @throws SealcamError `frame-corrupt` when a file exceeds 16 MiB; the splitter then starts again with the next bytes
   */
  push(chunk: Uint8Array): Uint8Array[] {
    this.append(chunk);
    const out: Uint8Array[] = [];
    for (let frame = this.next(); frame !== undefined; frame = this.next()) out.push(frame);
    if (this.length > FRAME_MAX_BYTES) {
      this.skip(this.length);
      throw new SealcamError('frame-corrupt', `a frame of more than ${String(FRAME_MAX_BYTES)} bytes`);
    }
    return out;
  }

  /** Bytes of the file that is not complete yet. */
  get pendingBytes(): number {
    return this.length;
  }

  /** Adds bytes to the buffer, which grows to the size that the frames need and then stays: only a frame itself is allocated. */
  private append(chunk: Uint8Array): void {
    const length = this.length + chunk.length;
    if (length > this.buffer.length) {
      const larger = new Uint8Array(Math.max(length, Math.min(2 * this.buffer.length, FRAME_MAX_BYTES)));
      larger.set(this.buffer.subarray(0, this.length));
      this.buffer = larger;
    }
    this.buffer.set(chunk, this.length);
    this.length = length;
  }

  /** Returns the next whole file in the buffer. */
  private next(): Uint8Array | undefined {
    if (this.at === 0 && !this.findStart()) return undefined;
    while (this.at + 1 < this.length) {
      const end = this.inScan ? this.stepScan() : this.stepSegment();
      if (end === 'wait') return undefined;
      if (end === 'broken') {
        this.skip(2);
        return this.next();
      }
      if (end === 'done') {
        const frame = this.buffer.slice(0, this.at);
        this.dropBytes(this.at);
        return frame;
      }
    }
    return undefined;
  }

  /** Skips to the next start marker. */
  private findStart(): boolean {
    const { buffer, length } = this;
    let start = 0;
    while (start + 1 < length && !(buffer[start] === 0xff && buffer[start + 1] === SOI)) start++;
    if (start > 0) this.skip(start);
    if (this.length < 2) return false;
    if (this.buffer[0] !== 0xff || this.buffer[1] !== SOI) return false;
    this.at = 2;
    return true;
  }

  /** Parses one marker segment. */
  private stepSegment(): 'next' | 'wait' | 'done' | 'broken' {
    const { buffer, length, at } = this;
    if (buffer[at] !== 0xff) return 'broken';
    const marker = buffer[at + 1] ?? 0;
    if (marker === 0xff) {
      this.at++;
      return 'next';
    }
    if (marker === EOI) {
      this.at += 2;
      return 'done';
    }
    if (at + 4 > length) return 'wait';
    const bytes = ((buffer[at + 2] ?? 0) << 8) | (buffer[at + 3] ?? 0);
    if (bytes < 2 || marker < 0xc0 || (marker >= 0xd0 && marker <= SOI)) return 'broken';
    if (at + 2 + bytes > length) return 'wait';
    this.at += 2 + bytes;
    this.inScan = marker === SOS;
    return 'next';
  }

  /** Skips entropy-coded data. */
  private stepScan(): 'next' | 'wait' {
    const { buffer, length } = this;
    let at = buffer.indexOf(0xff, this.at);
    while (at >= 0 && at + 1 < length) {
      const next = buffer[at + 1] ?? 0;
      // A stuffed zero or a restart marker is part of the data; any other marker ends the scan.
      if (next !== 0 && !(next >= 0xd0 && next <= 0xd7)) {
        this.at = at;
        this.inScan = false;
        return 'next';
      }
      at = buffer.indexOf(0xff, at + 2);
    }
    this.at = at < 0 ? length : Math.min(at, length);
    return 'wait';
  }

  private skip(count: number): void {
    this.skippedBytes += count;
    this.dropBytes(count);
  }

  private dropBytes(count: number): void {
    this.buffer.copyWithin(0, count, this.length);
    this.length -= count;
    if (this.length === 0 && this.buffer.length > BUFFER_KEPT_MAX_BYTES) this.buffer = new Uint8Array(0);
    this.at = 0;
    this.inScan = false;
  }
}
