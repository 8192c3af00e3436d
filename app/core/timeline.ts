import { toHex } from '../../common/bytes.js';
import type { RecordKind, RecordMedia, SealcamRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { Continuity } from '../../protocol/verify/continuity.js';
import { VERDICTS, type Verdict } from '../../protocol/verify/verdict.js';
import type { VerifiedRecord } from './history-keeper.js';
import { epochKey } from '../../protocol/objects/ids.js';

/** The best picture of an event, still sealed. */
export interface EventPicture {
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly eventId: Uint8Array;
  readonly media: RecordMedia;
  readonly record: Verified<SealcamRecord>;
}

/** What the timeline shows as one entry. */
export interface TimelineEvent {
  /** device/epoch/event id: never an id alone. */
  readonly key: string;
  readonly device: string;
  readonly epoch: number;
  readonly kind: Extract<RecordKind, 'motion' | 'snapshot' | 'scene'>;
  /** UTC of the event's first frame; null while the camera's clock was never set. */
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  /** For sorting, and where the camera had no time. */
  readonly receivedAtMs: number;
  readonly isOpen: boolean;
  readonly scene: string | null;
  readonly verdict: Verdict;
  readonly missing: number | null;
  readonly picture: EventPicture | null;
  /** All records of the event, oldest first. */
  readonly records: readonly VerifiedRecord[];
}

const RANK: readonly Verdict[] = ['intact', 'pending', 'gap', 'media-missing'];

/** Groups verified records into events. The verdict of an event is the worst of its records. */
export class Timeline {
  private readonly recordsOf = new Map<string, VerifiedRecord[]>();
  private readonly missingMedia = new Set<string>();
  /** device/epoch/kind → the event of its highest seq: what came before it is not happening any more. */
  private readonly newest = new Map<string, { readonly seq: number; readonly key: string }>();

  /** Returns the key of the event that changed, or null for a record that is no event. */
  add(verified: VerifiedRecord): string | null {
    const { value, hash } = verified.record;
    if (value.event === undefined) return null;
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

  /** The cloud could not give the picture of this media object. */
  markMissing(mediaId: Uint8Array): void {
    this.missingMedia.add(toHex(mediaId));
  }

  /** Newest first. */
  events(continuityOf: (record: Verified<SealcamRecord>) => Continuity): TimelineEvent[] {
    const all = [...this.recordsOf].map(([key, records]) => this.event(key, records, continuityOf));
    return all.sort((a, b) => (b.startedAtMs ?? b.receivedAtMs) - (a.startedAtMs ?? a.receivedAtMs));
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
    const phase = last.record.value.event?.phase;
    const picture = pictureOf(records);
    const continuities = records.map(({ record }) => continuityOf(record));
    const verdicts = continuities.map(({ verdict }): Verdict => verdict);
    if (picture !== null && this.missingMedia.has(toHex(picture.media.id))) verdicts.push('media-missing');
    const gap = continuities.find((item) => item.verdict === 'gap');
    return {
      key,
      device: toHex(device),
      epoch,
      kind: kind === 'snapshot' || kind === 'scene' ? kind : 'motion',
      startedAtMs: time.wallMs,
      endedAtMs: phase === 'end' ? last.record.value.time.wallMs : null,
      receivedAtMs: first.receivedAtMs,
      isOpen: (phase === 'start' || phase === 'update') && this.isNewest(key, last),
      scene: scene?.class ?? null,
      verdict: worst(verdicts),
      missing: gap?.verdict === 'gap' ? gap.missing : null,
      picture,
      records,
    };
  }
}

function worst(verdicts: readonly Verdict[]): Verdict {
  const refused = verdicts.find((verdict) => !VERDICTS[verdict].shown);
  if (refused !== undefined) return refused;
  return verdicts.reduce<Verdict>((a, b) => (RANK.indexOf(b) > RANK.indexOf(a) ? b : a), 'intact');
}

/** The thumbnail of the highest revision; an `end` without one means that the one before is the best. */
function pictureOf(records: readonly VerifiedRecord[]): EventPicture | null {
  for (const { record } of [...records].reverse()) {
    const { device, epoch, event, media } = record.value;
    const found = media?.find(({ role }) => role === 'thumbnail');
    if (found !== undefined && event !== undefined) return { device, epoch, eventId: event.id, media: found, record };
  }
  return null;
}
