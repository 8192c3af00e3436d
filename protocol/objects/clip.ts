/** The body of a `clip` record: it names segments of an event's video, whose sealed bodies travel apart from records. */
import { toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import {
  array,
  bool,
  bytes,
  bytesBetween,
  field,
  labelled,
  names,
  struct,
  tuple,
  uint,
  type TypeOf,
} from '../wire/codec.js';
import { int } from '../wire/codec.js';
import { HASH_BYTES, ID_BYTES } from './ids.js';

/** An array, not a map: there are many of them. */
const segment = labelled(
  ['index', 'mediaId', 'length', 'bodyHash', 'header', 'sync', 'durationMs'],
  tuple(
    /** 0, 1, 2 … in the clip; 0 is the initialisation. */
    uint(LIMITS.clipSegmentsMax - 1),
    bytes(ID_BYTES),
    /** Length of the sealed body. */
    int(1, LIMITS.segmentSealedMaxBytes),
    bytes(HASH_BYTES),
    /** The seal header itself: it has no other way to the reader. */
    bytesBetween(1, LIMITS.sealHeaderMaxBytes),
    /** Whether it begins with a key unit; else it continues the one before. */
    bool,
    uint(LIMITS.segmentMaxMs),
  ),
);
export type ClipSegment = TypeOf<typeof segment>;

export const clip = struct({
  /** Id of the event that the clip belongs to. A clip record has no `event`: it revises nothing of it. */
  eventId: field(0, bytes(ID_BYTES)),
  /** Number of the clip in its event. */
  number: field(1, uint(65_535)),
  phase: field(2, names({ start: 0, more: 1, end: 2 })),
  segments: field(3, array(segment, 0, LIMITS.clipRecordSegmentsMax)),
});
export type RecordClip = TypeOf<typeof clip>;

function refuse(why: string): never {
  throw new SealcamError('malformed', `record: ${why}`);
}

/** Checks the rules between the fields of a clip. @throws SealcamError `malformed` */
export function checkClip({ phase, segments }: RecordClip): void {
  const first = segments[0]?.[0];
  if (phase !== 'end' && first === undefined) refuse(`clip ${phase} without a segment`);
  if (first !== undefined && (first === 0) !== (phase === 'start'))
    refuse(`clip ${phase} with segment ${String(first)}`);
  if (segments.some(([index], i) => index !== (first ?? 0) + i)) refuse('clip segments that are not in a row');
  const ids = segments.map(([, id]) => toHex(id));
  if (new Set(ids).size !== ids.length) refuse('a segment is listed twice');
}
