/** What the messages of a look hold once they are opened: how to decode the picture, then one picture after the other. */
import { concat, u32be } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { decodeCbor, encodeCbor } from '../wire/cbor.js';
import { bytesUpTo, int, labelled, names, tuple, type TypeOf } from '../wire/codec.js';

const VERSION = 1;
const SIDE_MAX = 16_384;
const TIME_BYTES = 8;

const initialisation = labelled(
  ['version', 'codec', 'width', 'height', 'segment'],
  tuple(
    int(VERSION, VERSION),
    names({ h264: 0, jpeg: 1 }),
    int(1, SIDE_MAX),
    int(1, SIDE_MAX),
    bytesUpTo(LIMITS.liveMaxBytes),
  ),
);
type LiveCodec = TypeOf<typeof initialisation>[1];

export interface LiveInitialisation {
  readonly codec: LiveCodec;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** `ftyp` and `moov` for `h264`; empty for `jpeg`. */
  readonly segment: Uint8Array;
}

export interface LiveUnit {
  /** When it was captured, on the monotonic clock of the boot of the record that answers the order. */
  readonly capturedMs: number;
  /** `moof` and `mdat` of one access unit for `h264`; a JPEG file for `jpeg`. */
  readonly bytes: Uint8Array;
}

export function encodeInitialisation({ codec, width, height, segment }: LiveInitialisation): Uint8Array {
  return encodeCbor(initialisation.toCbor([VERSION, codec, width, height, segment]));
}

/** @throws SealcamError `malformed`, `unsupported` for a later version */
export function decodeInitialisation(plaintext: Uint8Array): LiveInitialisation {
  const raw = decodeCbor(plaintext, { maxBytes: LIMITS.messageMaxBytes, maxDepth: 1, maxItems: 16 });
  if (Array.isArray(raw) && typeof raw[0] === 'number' && raw[0] > VERSION)
    throw new SealcamError('unsupported', `live content of version ${String(raw[0])}`);
  const [, codec, width, height, segment] = initialisation.fromCbor(raw, 'live');
  return { codec, width, height, segment };
}

export function encodeUnit({ capturedMs, bytes }: LiveUnit): Uint8Array {
  return concat(u32be(Math.floor(capturedMs / 2 ** 32)), u32be(capturedMs % 2 ** 32), bytes);
}

/** @throws SealcamError `malformed` */
export function decodeUnit(plaintext: Uint8Array): LiveUnit {
  if (plaintext.length <= TIME_BYTES) throw new SealcamError('malformed', 'live: a picture without content');
  const view = new DataView(plaintext.buffer, plaintext.byteOffset, TIME_BYTES);
  const capturedMs = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
  if (!Number.isSafeInteger(capturedMs)) throw new SealcamError('malformed', 'live: a time out of range');
  return { capturedMs, bytes: plaintext.subarray(TIME_BYTES) };
}
