import { equal, toHex } from '../../common/bytes.js';
import type { AnyRecord, RecordScene } from '../../protocol/objects/record.js';
import type { RecordMediaV2 } from '../../protocol/objects/record-fields-v2.js';
import { epochKey } from '../../protocol/objects/ids.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { Continuity } from '../../protocol/verify/continuity.js';
import { VERDICTS, type Verdict } from '../../protocol/verify/verdict.js';
import type { VerifiedRecord } from './history-keeper.js';
import { plausibleWallMs } from './plausible-time.js';
import { isEventKind, type EventKind } from './timeline-kinds.js';

/** What names a sealed object. */
export interface SealedName {
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly media: Pick<RecordMediaV2, 'id'>;
}

/** The best picture of an event that the cloud has, still sealed. */
export interface EventPicture extends SealedName {
  readonly media: RecordMediaV2;
  readonly eventId: Uint8Array;
  readonly record: Verified<AnyRecord>;
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
  /** The records of its clips, oldest first. */
  readonly clips: readonly VerifiedRecord[];
  /** Segments of its clips whose loss the camera signed: hex of their media ids. */
  readonly lostSegments: readonly string[];
}

/** Roles of pictures, the best first. */
const PICTURE_ROLES = ['thumbnail', 'mini'] as const;
/** Verdicts that may be shown, from best to worst. */
const RANK: readonly Verdict[] = ['intact', 'pending', 'gap', 'media-missing'];

/**
 * Groups verified records into events. A change computes again the events that it concerns, and those whose verdict may
 * still change; every other event stays the same object, so that who draws them can tell.
 */
export class Timeline {
  private readonly recordsOf = new Map<string, readonly VerifiedRecord[]>();
  private readonly clipsOf = new Map<string, readonly VerifiedRecord[]>();
  /** Hex of the ids of media whose loss a camera signed. */
  private readonly lostMedia = new Set<string>();
  private readonly missingMedia = new Set<string>();
  /** By media id, the event that shows it. */
  private readonly eventOfMedia = new Map<string, string>();
  /** By device/epoch/kind, the event with the highest seq: an event before it cannot still be going on. */
  private readonly newest = new Map<string, { readonly seq: number; readonly key: string }>();
  private readonly built = new Map<string, TimelineEvent>();
  /** Events of which a record, a picture or the place among the newest changed since they were built. */
  private readonly changed = new Set<string>();
  /** Events with a verdict that other records may change. */
  private readonly unsettled = new Set<string>();
  private sorted: TimelineEvent[] = [];

  /** Adds a record and returns the key of the event that changed; null for a record that is not of an event. */
  add(verified: VerifiedRecord): string | null {
    const { value } = verified.record;
    const camera = epochKey(value.device, value.epoch);
    for (const { media = [] } of value.loss ?? []) for (const id of media) this.markLost(id);
    if (value.clip !== undefined) return this.addClip(`${camera}/${toHex(value.clip.eventId)}`, verified);
    if (value.event === undefined || !isEventKind(value.kind)) return null;
    const key = `${camera}/${toHex(value.event.id)}`;
    const series = `${camera}/${value.kind}`;
    const newest = this.newest.get(series);
    if (value.seq >= (newest?.seq ?? 0)) {
      this.newest.set(series, { seq: value.seq, key });
      if (newest !== undefined) this.changed.add(newest.key);
    }
    this.addTo(this.recordsOf, key, verified);
    for (const { id } of value.media ?? []) this.eventOfMedia.set(toHex(id), key);
    return key;
  }

  private addClip(key: string, verified: VerifiedRecord): string {
    this.addTo(this.clipsOf, key, verified);
    for (const [, mediaId] of verified.record.value.clip?.segments ?? []) this.eventOfMedia.set(toHex(mediaId), key);
    return key;
  }

  private addTo(map: Map<string, readonly VerifiedRecord[]>, key: string, verified: VerifiedRecord): void {
    const records = map.get(key) ?? [];
    if (records.some(({ record }) => equal(record.hash, verified.record.hash))) return;
    map.set(
      key,
      [...records, verified].sort((a, b) => a.record.value.seq - b.record.value.seq),
    );
    this.changed.add(key);
  }

  private markLost(mediaId: Uint8Array): void {
    const id = toHex(mediaId);
    this.lostMedia.add(id);
    const key = this.eventOfMedia.get(id);
    if (key !== undefined) this.changed.add(key);
  }

  /** Marks a media object that the cloud does not have. */
  markMissing(mediaId: Uint8Array): void {
    const id = toHex(mediaId);
    this.missingMedia.add(id);
    const key = this.eventOfMedia.get(id);
    if (key !== undefined) this.changed.add(key);
  }

  /** Returns all events, newest first. */
  events(continuityOf: (record: Verified<AnyRecord>) => Continuity): readonly TimelineEvent[] {
    let isChanged = false;
    for (const key of new Set([...this.changed, ...this.unsettled])) {
      const records = this.recordsOf.get(key);
      if (records === undefined) continue;
      const before = this.built.get(key);
      const event = this.event(key, records, continuityOf);
      if (event.verdict === 'intact') this.unsettled.delete(key);
      else this.unsettled.add(key);
      if (before !== undefined && !this.changed.has(key) && isSame(before, event)) continue;
      this.built.set(key, event);
      isChanged = true;
    }
    this.changed.clear();
    if (isChanged) this.sorted = [...this.built.values()].sort((a, b) => sortMs(b) - sortMs(a));
    return this.sorted;
  }

  private isNewest(key: string, { record }: VerifiedRecord): boolean {
    const { device, epoch, kind } = record.value;
    return this.newest.get(`${epochKey(device, epoch)}/${kind}`)?.key === key;
  }

  private event(
    key: string,
    records: readonly VerifiedRecord[],
    continuityOf: (record: Verified<AnyRecord>) => Continuity,
  ): TimelineEvent {
    const [first] = records;
    const last = records.at(-1);
    if (first === undefined || last === undefined) throw new Error('an event without records');
    const { device, epoch, kind, time, scene } = first.record.value;
    if (!isEventKind(kind)) throw new Error(`an event of kind ${kind}`);
    const phase = last.record.value.event?.phase;
    const pictures = picturesOf(records);
    const isMissing = ({ media }: EventPicture): boolean => this.missingMedia.has(toHex(media.id));
    const [best] = pictures;
    const continuities = records.map(({ record }) => continuityOf(record));
    const verdicts = continuities.map(({ verdict }): Verdict => verdict);
    if (best !== undefined && isMissing(best)) verdicts.push('media-missing');
    const gap = continuities.find((item) => item.verdict === 'gap');
    const clips = this.clipsOf.get(key) ?? [];
    const segments = clips.flatMap(({ record }) => record.value.clip?.segments ?? []);
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
      picture: pictures.find((picture) => !isMissing(picture)) ?? best ?? null,
      records,
      clips,
      lostSegments: segments.map(([, id]) => toHex(id)).filter((id) => this.lostMedia.has(id)),
    };
  }
}

/** Returns the key of a picture or another sealed object: its id alone is not unique. */
export function pictureKey({ device, epoch, media }: SealedName): string {
  return `${epochKey(device, epoch)}/${toHex(media.id)}`;
}

/** Returns the time by which events are sorted, UTC: that of the camera, or of the receipt where the camera had none. */
export function sortMs({ startedAtMs, receivedAtMs }: Pick<TimelineEvent, 'startedAtMs' | 'receivedAtMs'>): number {
  return startedAtMs ?? receivedAtMs;
}

/** Whether an event whose records did not change is as it was. */
function isSame(a: TimelineEvent, b: TimelineEvent): boolean {
  return a.verdict === b.verdict && a.missing === b.missing;
}

function worstOf(verdicts: readonly Verdict[]): Verdict {
  const refused = verdicts.find((verdict) => !VERDICTS[verdict].shown);
  if (refused !== undefined) return refused;
  return verdicts.reduce<Verdict>((a, b) => (RANK.indexOf(b) > RANK.indexOf(a) ? b : a), 'intact');
}

/**
 * Returns the pictures of an event, the best first: the newest, since a later record without one means that the picture before it
 * is still the best. A mini picture, made for a notification, comes after all others.
 */
function picturesOf(records: readonly VerifiedRecord[]): EventPicture[] {
  const found = [...records].reverse().flatMap(({ record }): EventPicture[] => {
    const { device, epoch, event, media = [] } = record.value;
    return event === undefined ? [] : media.map((item) => ({ device, epoch, eventId: event.id, media: item, record }));
  });
  return PICTURE_ROLES.flatMap((role) => found.filter(({ media }) => media.role === role));
}
