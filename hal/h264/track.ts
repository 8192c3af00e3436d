import { equal } from '../../common/bytes.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { bFrames } from '../probed-stream.js';
import { KEY_INTERVAL_MAX_MS, type VideoUnit } from '../video-source.js';
import { AccessUnitSplitter, type AccessUnit } from './access-units.js';
import { NAL, nalsOf, nalType } from './nal.js';
import { readSequence } from './sequence.js';

/** Units carry the time at which they came, and a loaded machine reads late. */
const LATE_MAX_MS = 500;

export interface TrackListener {
  readonly onUnit: (unit: VideoUnit) => void;
  /** A fault of the stream; units come again from the next key unit on. */
  readonly onFault: (error: SealcamError) => void;
}

/** Reads one H.264 stream of an encoder: whole units from a key unit on, in an order and form that a browser plays. */
export class H264Track {
  private readonly splitter = new AccessUnitSplitter();
  private readonly listener: TrackListener;
  private parameterSets: readonly Uint8Array[] = [];
  private needsKey = true;
  /** Time of the last key unit, or of the first unit before there was one. */
  private lastKeyMs: number | null = null;

  constructor(listener: TrackListener) {
    this.listener = listener;
  }

  /** Adds bytes that came at `nowMs`. */
  push(chunk: Uint8Array, nowMs: number): void {
    this.guard(() => {
      for (const unit of this.splitter.push(chunk, nowMs)) this.add(unit);
    });
  }

  /** Passes the last unit on: the stream has ended. */
  end(): void {
    const last = this.splitter.end();
    if (last !== null) this.add(last);
  }

  /** Adds a unit that was split elsewhere. */
  add(unit: AccessUnit): void {
    this.guard(() => {
      this.pass(unit);
    });
  }

  private guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.needsKey = true;
      this.listener.onFault(asSealcamError(error));
    }
  }

  private pass({ bytes, isKey, isBidirectional, beganMs }: AccessUnit): void {
    if (isKey) {
      this.lastKeyMs = beganMs;
      this.checkSets(bytes);
      this.needsKey = false;
    }
    this.lastKeyMs ??= beganMs;
    const sinceKeyMs = beganMs - this.lastKeyMs;
    if (sinceKeyMs > KEY_INTERVAL_MAX_MS + LATE_MAX_MS) {
      this.lastKeyMs = beganMs;
      throw new SealcamError('video-keys-rare', `no key unit for ${(sinceKeyMs / 1000).toFixed(1)} s`);
    }
    if (this.needsKey) return;
    if (isBidirectional) throw bFrames();
    this.listener.onUnit({ bytes, isKey, monotonicMs: Math.round(beganMs) });
  }

  /** Checks the parameter sets of a key unit against those before. */
  private checkSets(bytes: Uint8Array): void {
    const sets: Uint8Array[] = [];
    for (const nal of nalsOf(bytes)) {
      const type = nalType(nal);
      if (type === NAL.sps || type === NAL.pps) sets.push(nal);
      if (type === NAL.idr) break;
    }
    // One that the driver repeats may stand before the encoder's own, which then counts.
    const sequence = sets.findLast((set) => nalType(set) === NAL.sps);
    if (sequence === undefined || sets.every((set) => nalType(set) !== NAL.pps)) {
      throw new SealcamError('video-unsupported', 'a key unit without its parameter sets', {
        hint: 'Let the encoder repeat its headers with each key unit (rpicam-vid --inline, x264 repeat-headers=1).',
      });
    }
    readSequence(sequence);
    const before = this.parameterSets;
    const isSame = before.length === sets.length && before.every((set, i) => equal(set, sets[i] ?? set.subarray(0, 0)));
    if (isSame) return;
    this.parameterSets = sets.map((set) => set.slice());
    if (before.length > 0) throw new SealcamError('video-changed', 'the video changed its size or parameters');
  }
}
