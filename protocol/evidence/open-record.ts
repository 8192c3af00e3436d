/** Opens the pictures and segments that stand with a record in an evidence file. */
import { equal } from '../../common/bytes.js';
import type { CryptoSuite } from '../crypto/suite.js';
import type { AnyClaim } from '../objects/claim.js';
import type { ClipSegment } from '../objects/clip.js';
import type { AnyRecord } from '../objects/record.js';
import type { MediaRole } from '../objects/record-kinds.js';
import type { Verified } from '../objects/signed-object.js';
import type { SealedContent } from '../seal/content.js';
import { openWithE } from '../seal/object.js';
import { isMediaOf, isSegmentOf } from '../verify/media.js';
import { contextOf, eventOf, openPicture } from './event.js';
import { refuse, type EvidenceRecord } from './evidence-file.js';

/** An opened picture or detail. */
export interface EvidencePicture {
  readonly seq: number;
  readonly role: MediaRole;
  readonly mediaId: Uint8Array;
  readonly content: SealedContent;
}

/** An opened segment of a clip. */
export interface EvidenceClipPart {
  readonly seq: number;
  /** Number of the clip in the event. */
  readonly clip: number;
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** A verified record of the file, and the event that the file is of. */
export interface RecordPlace {
  readonly claim: AnyClaim;
  readonly eventId: Uint8Array;
  readonly record: Verified<AnyRecord>;
}

/** What a step opened, with its length in the file; last how many objects the record names that are not there. */
export type OpenedPart =
  | { readonly type: 'picture'; readonly picture: EvidencePicture; readonly length: number }
  | { readonly type: 'segment'; readonly part: EvidenceClipPart; readonly length: number }
  | { readonly type: 'absent'; readonly count: number };

/**
 * Opens what a record names, one object a step.
 * @throws SealcamError `malformed`, `seal-refused`, `unsupported`
 */
export function* openRecordInSteps(
  suite: CryptoSuite,
  { claim, eventId, record: { value } }: RecordPlace,
  { objects, segments }: EvidenceRecord,
): Generator<OpenedPart, void, undefined> {
  const { seq, media = [], clip } = value;
  const named = clip?.segments ?? [];
  const own = eventOf(value);
  const isOwn = own !== undefined && equal(own, eventId);
  if (objects.length !== media.length) refuse(`record ${String(seq)} names another number of objects`);
  if (!isOwn && (segments.length > 0 || objects.some((object) => object !== null))) {
    refuse(`record ${String(seq)} tells of something else and comes with objects`);
  }
  let count = isOwn ? media.length + named.length : 0;
  for (const [at, entry] of media.entries()) {
    const object = objects[at] ?? null;
    if (object === null) continue;
    if (!isMediaOf(suite, entry, object)) refuse(`an object is not the one that record ${String(seq)} names`);
    const { role, id: mediaId } = entry;
    const content = openPicture(suite, claim, contextOf(value, eventId, mediaId, role), object.key, object);
    count--;
    yield { type: 'picture', picture: { seq, role, mediaId, content }, length: object.body.length };
  }
  let last = -1;
  for (const { place, body, key } of segments) {
    if (place <= last) refuse('segments that are not in a row');
    last = place;
    const segment = named[place] ?? refuse(`record ${String(seq)} names no such segment`);
    count--;
    yield { type: 'segment', part: openSegment(suite, value, segment, body, key), length: body.length };
  }
  yield { type: 'absent', count };
}

function openSegment(
  suite: CryptoSuite,
  record: AnyRecord,
  segment: ClipSegment,
  body: Uint8Array,
  key: Uint8Array,
): EvidenceClipPart {
  const { seq, clip } = record;
  const [index, mediaId, , , header] = segment;
  if (clip === undefined) return refuse('a segment of no clip');
  if (!isSegmentOf(suite, segment, body)) refuse(`a segment is not the one that record ${String(seq)} names`);
  const bytes = openWithE(suite, key, contextOf(record, clip.eventId, mediaId, 'segment'), { header, body });
  return { seq, clip: clip.number, index, bytes };
}
