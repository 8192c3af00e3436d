import { concat, isZero, u32be } from '../../common/bytes.js';
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
    zones: optional(2, array(text(32), 1, 8)),
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

/** Returns u32be length ‖ CBOR [detail, JPEG] ‖ zeros up to a multiple of 4 KiB, so that sizes reveal little. */
export function padContent({ detail: seen, jpeg }: SealedContent): Uint8Array {
  const cbor = encodeCbor(sealedContent.toCbor([seen, jpeg]) satisfies Cbor);
  const unpadded = 4 + cbor.length;
  const padding = (LIMITS.sealPadBytes - (unpadded % LIMITS.sealPadBytes)) % LIMITS.sealPadBytes;
  return concat(u32be(cbor.length), cbor, new Uint8Array(padding));
}

/** Reverses {@link padContent}. @throws SealcamError `malformed` */
export function unpadContent(plaintext: Uint8Array): SealedContent {
  if (plaintext.length < 4 || plaintext.length % LIMITS.sealPadBytes !== 0) {
    throw new SealcamError('malformed', 'sealed content of a wrong length');
  }
  const length = new DataView(plaintext.buffer, plaintext.byteOffset).getUint32(0);
  const padding = plaintext.subarray(4 + length);
  if (4 + length > plaintext.length || padding.length >= LIMITS.sealPadBytes || !isZero(padding)) {
    throw new SealcamError('malformed', 'sealed content with wrong padding');
  }
  const raw = decodeCbor(plaintext.subarray(4, 4 + length), {
    maxBytes: LIMITS.sealedMaxBytes,
    maxDepth: LIMITS.cborMaxDepth,
    maxItems: 256,
  });
  const [seen, jpeg] = sealedContent.fromCbor(raw, 'content');
  return { detail: seen, jpeg };
}
