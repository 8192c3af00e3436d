import { isZero, u32be } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { decodeCbor, encodeCbor, type Cbor } from '../wire/cbor.js';
import {
  array,
  bytesUpTo,
  labelled,
  nullable,
  optional,
  struct,
  text,
  tuple,
  uint,
  versioned,
  type TypeOf,
} from '../wire/codec.js';

const fraction = uint(65_535);

/** What was seen. It exists only inside a seal, so neither cloud nor broker learns it. */
const detail = versioned(
  1,
  struct({
    /** Left, top, width, height in 1/65535 of the picture. */
    box: optional(1, tuple(fraction, fraction, fraction, fraction)),
    zones: optional(2, array(text(LIMITS.zoneNameMaxBytes), 1, LIMITS.commandZonesMax)),
    /** Per mille of the picture that moved. */
    area: optional(3, uint(1000)),
    /** Why the event started or ended, in the words of the console's `motion why`. */
    reason: optional(4, text(64)),
    /** Monotonic ms of the event's first and last frame with motion, in the record's boot. */
    startedMs: optional(5, uint()),
    endedMs: optional(6, uint()),
    /** Width and height of the picture in pixels. */
    size: optional(7, tuple(uint(65_535), uint(65_535))),
  }),
);
export type SealedDetail = TypeOf<typeof detail>;

/** [detail, JPEG] */
export const sealedContent = labelled(['detail', 'jpeg'], tuple(detail, nullable(bytesUpTo(LIMITS.sealedMaxBytes))));

export interface SealedContent {
  readonly detail: SealedDetail;
  /** A JPEG file; null if the record has no picture of its own. */
  readonly jpeg: Uint8Array | null;
}

/** Returns CBOR [detail, JPEG]. */
export function encodeContent({ detail: seen, jpeg }: SealedContent): Uint8Array {
  return encodeCbor(sealedContent.toCbor([seen, jpeg]) satisfies Cbor);
}

/** Reverses {@link encodeContent}. @throws SealcamError `malformed`, `unsupported` */
export function decodeContent(cbor: Uint8Array): SealedContent {
  const raw = decodeCbor(cbor, { maxBytes: LIMITS.sealedMaxBytes, maxDepth: LIMITS.cborMaxDepth, maxItems: 256 });
  const [seen, jpeg] = sealedContent.fromCbor(raw, 'content');
  return { detail: seen, jpeg };
}

/** Returns u32be length ‖ content ‖ zeros up to a multiple of `unit`, so that sizes reveal little. */
export function pad(content: Uint8Array, unit: number): Uint8Array {
  const unpadded = 4 + content.length;
  const out = new Uint8Array(Math.ceil(unpadded / unit) * unit);
  out.set(u32be(content.length));
  out.set(content, 4);
  return out;
}

/** Reverses {@link pad}. @throws SealcamError `malformed` */
export function unpad(plaintext: Uint8Array, unit: number): Uint8Array {
  if (plaintext.length < 4 || plaintext.length % unit !== 0) {
    throw new SealcamError('malformed', 'sealed content of a wrong length');
  }
  const end = 4 + new DataView(plaintext.buffer, plaintext.byteOffset).getUint32(0);
  const padding = plaintext.subarray(end);
  if (end > plaintext.length || padding.length >= unit || !isZero(padding)) {
    throw new SealcamError('malformed', 'sealed content with wrong padding');
  }
  return plaintext.subarray(4, end);
}

/** Returns the plaintext of suite 1. */
export function padContent(content: SealedContent): Uint8Array {
  return pad(encodeContent(content), LIMITS.sealPadBytes);
}

/** Reverses {@link padContent}. @throws SealcamError `malformed`, `unsupported` */
export function unpadContent(plaintext: Uint8Array): SealedContent {
  return decodeContent(unpad(plaintext, LIMITS.sealPadBytes));
}
