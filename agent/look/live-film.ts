import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { readJpegSize } from '../../common/jpeg-size.js';
import type { VideoInfo, VideoUnit } from '../../hal/video-source.js';
import { encodeInitialisation, encodeUnit } from '../../protocol/transport/live-content.js';
import type { LiveKind } from '../../protocol/transport/live-session.js';
import { fragment } from '../clip/boxes.js';
import { MEDIA } from '../clip/media.js';

/** What is to be sealed, in this order. */
export interface LivePart {
  readonly kind: LiveKind;
  readonly plaintext: Uint8Array;
}

/** A message may be lost, so the initialisation is said again at a key unit after this long. */
const REPEAT_MS = 4000;

/** Turns the pictures of one session into the content of its messages. */
export class LiveFilm {
  private initialisation: Uint8Array | null = null;
  private initialisedMs = -Infinity;
  private sequence = 0;
  private firstUnitMs: number | null = null;

  /** @throws SealcamError `frame-corrupt` */
  jpeg(bytes: Uint8Array, capturedMs: number): readonly LivePart[] {
    const size = readJpegSize(bytes);
    if (size === null) throw new SealcamError('frame-corrupt', 'a live picture that is not a JPEG');
    const initialisation = encodeInitialisation({ codec: 'jpeg', ...size, segment: new Uint8Array(0) });
    return [
      ...this.initialise(initialisation, capturedMs),
      { kind: 'key-unit', plaintext: encodeUnit({ capturedMs, bytes }) },
    ];
  }

  /** The first one must be a key unit. @throws SealcamError `video-corrupt` */
  h264({ bytes, isKey, monotonicMs }: VideoUnit, { width, height, framesPerSecond }: VideoInfo): readonly LivePart[] {
    const media = MEDIA.h264;
    const initialisation = isKey
      ? encodeInitialisation({ codec: 'h264', width, height, segment: media.initialise(bytes) })
      : null;
    this.firstUnitMs ??= monotonicMs;
    const parts = media.sampleOf(bytes);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    // The true duration is known with the next unit; a live picture does not wait for it.
    const durationMs = Math.max(1, Math.round(1000 / Math.max(1, framesPerSecond)));
    const sample = { parts, length, isKey, durationMs };
    const content = fragment(++this.sequence, Math.round(monotonicMs - this.firstUnitMs), [sample]);
    return [
      ...(initialisation === null ? [] : this.initialise(initialisation, monotonicMs)),
      {
        kind: isKey ? 'key-unit' : 'unit',
        plaintext: encodeUnit({ capturedMs: Math.round(monotonicMs), bytes: content }),
      },
    ];
  }

  /** What was made last did not leave: it is said again. */
  forget(): void {
    this.initialisation = null;
  }

  private initialise(plaintext: Uint8Array, nowMs: number): readonly LivePart[] {
    const isKnown = this.initialisation !== null && equal(plaintext, this.initialisation);
    if (isKnown && nowMs - this.initialisedMs < REPEAT_MS) return [];
    this.initialisation = plaintext;
    this.initialisedMs = nowMs;
    return [{ kind: 'initialisation', plaintext }];
  }
}
