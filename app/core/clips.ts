/** The clips of an event, as its verified records name them. What is in the segments is no business of this file. */
import { toHex } from '../../common/bytes.js';
import type { ClipSegment, RecordClip } from '../../protocol/objects/clip.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { VerifiedRecord } from './history-keeper.js';
import { heardMs } from './plausible-time.js';
import type { TimelineEvent } from './timeline.js';

/** A segment, with the verified record that names it. */
export interface NamedSegment {
  readonly record: Verified<AnyRecord>;
  readonly entry: ClipSegment;
  /** When the cloud received the record. */
  readonly receivedAtMs: number;
}

/** One clip of an event. */
export interface Clip {
  /** Key of the event, and the clip's number. */
  readonly key: string;
  /** Hex of the device id. */
  readonly device: string;
  readonly epoch: number;
  readonly number: number;
  /** By index, the initialisation first; null where no record names one and a later one is named. */
  readonly segments: readonly (NamedSegment | null)[];
  /** Whether its end is signed. */
  readonly hasEnd: boolean;
  /** How much of it lies before the event: what the camera held when the event began, which the first record names. */
  readonly prerollMs: number;
  /** Seqs of its first and last record, and of the last that names segments. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly namedUpToSeq: number;
  /** When its last record was made, UTC. */
  readonly lastMs: number;
}

interface ClipRecord extends VerifiedRecord {
  readonly clip: RecordClip;
}

/** Returns the clips of an event by their number. */
export function clipsOf(event: Pick<TimelineEvent, 'key' | 'device' | 'epoch' | 'clips'>): readonly Clip[] {
  const byNumber = new Map<number, ClipRecord[]>();
  for (const verified of event.clips) {
    const { clip } = verified.record.value;
    if (clip === undefined) continue;
    byNumber.set(clip.number, [...(byNumber.get(clip.number) ?? []), { ...verified, clip }]);
  }
  return [...byNumber]
    .sort(([a], [b]) => a - b)
    .map(([number, records]) => {
      const [first] = records;
      const last = records.at(-1);
      if (first === undefined || last === undefined) throw new Error('a clip without records');
      const start = records.find(({ clip: { phase } }) => phase === 'start');
      return {
        key: `${event.key}/${String(number)}`,
        device: event.device,
        epoch: event.epoch,
        number,
        segments: segmentsIn(records),
        hasEnd: records.some(({ clip: { phase } }) => phase === 'end'),
        prerollMs: (start?.clip.segments ?? []).reduce((sum, entry) => sum + durationOf(entry), 0),
        firstSeq: first.record.value.seq,
        lastSeq: last.record.value.seq,
        namedUpToSeq: records.findLast(({ clip }) => clip.segments.length > 0)?.record.value.seq ?? 0,
        lastMs: heardMs(last.record.value, last.receivedAtMs),
      };
    });
}

/** Returns how long a segment plays. */
export function durationOf(entry: ClipSegment): number {
  return entry[6];
}

/** Returns hex of a segment's media id. */
export function segmentId([, mediaId]: ClipSegment): string {
  return toHex(mediaId);
}

/** The record that named an index first keeps it: a camera names each once. */
function segmentsIn(records: readonly ClipRecord[]): readonly (NamedSegment | null)[] {
  const named = new Map<number, NamedSegment>();
  for (const { record, receivedAtMs, clip } of records) {
    for (const entry of clip.segments) {
      const [index] = entry;
      if (!named.has(index)) named.set(index, { record, entry, receivedAtMs });
    }
  }
  const count = Math.max(-1, ...named.keys()) + 1;
  return Array.from({ length: count }, (_, index) => named.get(index) ?? null);
}
