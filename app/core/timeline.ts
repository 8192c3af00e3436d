import { toHex } from '../../common/bytes.js';
import type { RecordMedia, RecordScene, SealcamRecord } from '../../protocol/objects/record.js';
import { epochKey } from '../../protocol/objects/ids.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { Continuity } from '../../protocol/verify/continuity.js';
import { VERDICTS, type Verdict } from '../../protocol/verify/verdict.js';
import type { VerifiedRecord } from './history-keeper.js';
import { plausibleWallMs } from './plausible-time.js';
import { isEventKind, type EventKind } from './timeline-kinds.js';

/** The best picture of an event, still sealed. */
export interface EventPicture {
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly eventId: Uint8Array;
  readonly media: RecordMedia;
  readonly record: Verified<SealcamRecord>;
}

/** One entry of the timeline. */
export interface TimelineEvent {
  /** device/epoch/event id: an event id alone is not unique. */
  readonly key: string;
  /** Hex of the device id. */
  readonly device: string;
  readonly epoch: number;
  readonly kind: EventKind;
  /** UTC of the event's first frame; null while the camera's clock was never set, and where it cannot be right. */
  readonly startedAtMs: number | null;
  /** UTC of its `end` record; null without one. */
  readonly endedAtMs: number | null;
  /** When the cloud received it: for sorting, and shown where the camera had no time. */
  readonly receivedAtMs: number;
  /** Whether the camera signed a time that cannot be: long after the record was received. */
  readonly hasImpossibleTime: boolean;
  /** Whether it is still going on. */
  readonly isOpen: boolean;
  readonly scene: RecordScene['class'] | null;
  /** The worst verdict of its records. */
  readonly verdict: Verdict;
  /** How many records are missing before it, where the verdict is `gap`. */
  readonly missing: number | null;
  readonly picture: EventPicture | null;
  /** All records of the event, oldest first. */
  readonly records: readonly VerifiedRecord[];
}

/** Verdicts that may be shown, from best to worst. */
const RANK: readonly Verdict[] = ['intact', 'pending', 'gap', 'media-missing'];

/** Groups verified records into events. */
export class Timeline {
  private readonly recordsOf = new Map<string, VerifiedRecord[]>();
  private readonly missingMedia = new Set<string>();
  /** By device/epoch/kind, the event with the highest seq: an event before it cannot still be going on. */
  private readonly newest = new Map<string, { readonly seq: number; readonly key: string }>();

  /** Adds a record and returns the key of the event that changed; null for a record that is not of an event. */
  add(verified: VerifiedRecord): string | null {
    const { value, hash } = verified.record;
    if (value.event === undefined || !isEventKind(value.kind)) return null;
    const camera = epochKey(value.device, value.epoch);
    const key = `${camera}/${toHex(value.event.id)}`;
    const series = `${camera}/${value.kind}`;
    if (value.seq >= (this.newest.get(series)?.seq ?? 0)) this.newest.set(series, { seq: value.seq, key });
    const records = this.recordsOf.get(key) ?? [];
    if (records.some(({ record }) => toHex(record.hash) === toHex(hash))) return key;
    records.push(verified);
    records.sort((a, b) => a.record.value.seq - b.record.value.seq);
    this.recordsOf.set(key, records);
    return key;
  }

  /** Marks a media object that the cloud does not have. */
  markMissing(mediaId: Uint8Array): void {
    this.missingMedia.add(toHex(mediaId));
  }

  /** Returns all events, newest first. */
  events(continuityOf: (record: Verified<SealcamRecord>) => Continuity): TimelineEvent[] {
    const all = [...this.recordsOf].map(([key, records]) => this.event(key, records, continuityOf));
    return all.sort((a, b) => sortMs(b) - sortMs(a));
  }

  private isNewest(key: string, { record }: VerifiedRecord): boolean {
    const { device, epoch, kind } = record.value;
    return this.newest.get(`${epochKey(device, epoch)}/${kind}`)?.key === key;
  }

  private event(
    key: string,
    records: readonly VerifiedRecord[],
    continuityOf: (record: Verified<SealcamRecord>) => Continuity,
  ): TimelineEvent {
    const [first] = records;
    const last = records.at(-1);
    if (first === undefined || last === undefined) throw new Error('an event without records');
    const { device, epoch, kind, time, scene } = first.record.value;
    if (!isEventKind(kind)) throw new Error(`an event of kind ${kind}`);
    const phase = last.record.value.event?.phase;
    const picture = bestPictureOf(records);
    const continuities = records.map(({ record }) => continuityOf(record));
    const verdicts = continuities.map(({ verdict }): Verdict => verdict);
    if (picture !== null && this.missingMedia.has(toHex(picture.media.id))) verdicts.push('media-missing');
    const gap = continuities.find((item) => item.verdict === 'gap');
    const startedAtMs = plausibleWallMs(time.wallMs, first.receivedAtMs);
    const endWallMs = phase === 'end' ? last.record.value.time.wallMs : null;
    const endedAtMs = plausibleWallMs(endWallMs, last.receivedAtMs);
    return {
      key,
      device: toHex(device),
      epoch,
      kind,
      startedAtMs,
      endedAtMs,
      hasImpossibleTime: startedAtMs !== time.wallMs || endedAtMs !== endWallMs,
      receivedAtMs: first.receivedAtMs,
      isOpen: (phase === 'start' || phase === 'update') && this.isNewest(key, last),
      scene: scene?.class ?? null,
      verdict: worstOf(verdicts),
      missing: gap?.verdict === 'gap' ? gap.missing : null,
      picture,
      records,
    };
  }
}

/** Returns the time by which events are sorted, UTC: that of the camera, or of the receipt where the camera had none. */
export function sortMs({ startedAtMs, receivedAtMs }: Pick<TimelineEvent, 'startedAtMs' | 'receivedAtMs'>): number {
  return startedAtMs ?? receivedAtMs;
}

function worstOf(verdicts: readonly Verdict[]): Verdict {
  const refused = verdicts.find((verdict) => !VERDICTS[verdict].shown);
  if (refused !== undefined) return refused;
  return verdicts.reduce<Verdict>((a, b) => (RANK.indexOf(b) > RANK.indexOf(a) ? b : a), 'intact');
}

/** Returns the newest thumbnail: a later record without one means that the picture before it is still the best. */
function bestPictureOf(records: readonly VerifiedRecord[]): EventPicture | null {
  for (const { record } of [...records].reverse()) {
    const { device, epoch, event, media } = record.value;
    const found = media?.find(({ role }) => role === 'thumbnail');
    if (found !== undefined && event !== undefined) return { device, epoch, eventId: event.id, media: found, record };
  }
  return null;
}
