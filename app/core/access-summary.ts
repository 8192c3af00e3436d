import { toHex } from '../../common/bytes.js';
import type { AccessEntry } from './cloud-answers.js';
import type { MemberKeys } from './member-keys.js';
import { isFurtherBrowser } from './own-browsers.js';
import type { TimelineEvent } from './timeline.js';
import { epochKey } from '../../protocol/objects/ids.js';

/**
 * Who a reader is by the signed claim of the epoch that was read. `browser`: a further one of the owner's; `unknown`: this page
 * does not have that claim.
 */
export type ReaderRole = 'owner' | 'browser' | 'member' | 'stranger' | 'unknown';

/** Reads of one range of records of one epoch, with one key. */
export interface AccessLine {
  /** Hex of the reader's key. */
  readonly reader: string;
  readonly role: ReaderRole;
  /** Hex of the device id. */
  readonly device: string;
  readonly epoch: number;
  /** Null where the log names no records. */
  readonly seqs: readonly [number, number] | null;
  readonly reads: number;
  /** How many of the reads were of a picture. */
  readonly pictures: number;
  readonly isExport: boolean;
  /** First and last read, UTC by the cloud's clock. */
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface AccessSummary {
  /** Reads with this person's own key; null without any. */
  readonly own: Pick<AccessLine, 'reads' | 'fromMs' | 'untilMs'> | null;
  /** Reads of others: first those that no claim covers, then the newest. */
  readonly others: readonly AccessLine[];
}

/** Whom the claim of an epoch names, the owner first; null for a claim that is not known here. */
export type NamedInEpoch = (device: string, epoch: number) => readonly MemberKeys[] | null;

const RANK: readonly ReaderRole[] = ['stranger', 'unknown', 'member', 'browser', 'owner'];

/** Folds the access log: own reads into one line, those of others into a line for each range of records. */
export function summarizeAccess(entries: readonly AccessEntry[], own: string, namedIn: NamedInEpoch): AccessSummary {
  const series = new Map<string, AccessLine[]>();
  for (const entry of entries) {
    if (entry.reader === own) continue;
    const key = `${entry.reader}/${epochKey(entry.device, entry.epoch)}`;
    series.set(key, [...(series.get(key) ?? []), lineOf(entry, roleOf(entry, namedIn))]);
  }
  const others = [...series.values()].flatMap(joined);
  others.sort((a, b) => RANK.indexOf(a.role) - RANK.indexOf(b.role) || b.untilMs - a.untilMs);
  const times = entries.filter(({ reader }) => reader === own).map(({ atMs }) => atMs);
  return {
    own: times.length === 0 ? null : { reads: times.length, fromMs: Math.min(...times), untilMs: Math.max(...times) },
    others,
  };
}

function roleOf({ reader, device, epoch }: AccessEntry, namedIn: NamedInEpoch): ReaderRole {
  const named = namedIn(device, epoch);
  if (named === null) return 'unknown';
  const at = named.findIndex(({ ed25519 }) => toHex(ed25519) === reader);
  const found = named[at];
  if (found === undefined) return 'stranger';
  if (at === 0) return 'owner';
  return isFurtherBrowser(found, at) ? 'browser' : 'member';
}

function lineOf({ reader, device, epoch, what, atMs, fromSeq, toSeq }: AccessEntry, role: ReaderRole): AccessLine {
  return {
    reader,
    role,
    device,
    epoch,
    seqs: fromSeq === null || toSeq === null ? null : [fromSeq, toSeq],
    reads: 1,
    pictures: what === 'media' ? 1 : 0,
    isExport: what === 'export',
    fromMs: atMs,
    untilMs: atMs,
  };
}

/** Joins lines of one reader and epoch whose ranges touch. */
function joined(lines: readonly AccessLine[]): AccessLine[] {
  const first = ({ seqs }: AccessLine): number => seqs?.[0] ?? -Infinity;
  const last = ({ seqs }: AccessLine): number => seqs?.[1] ?? -Infinity;
  const out: AccessLine[] = [];
  for (const line of [...lines].sort((a, b) => first(a) - first(b))) {
    const before = out.at(-1);
    if (before === undefined || first(line) > last(before) + 1) {
      out.push(line);
      continue;
    }
    out[out.length - 1] = {
      ...before,
      seqs: before.seqs === null ? null : [first(before), Math.max(last(before), last(line))],
      reads: before.reads + line.reads,
      pictures: before.pictures + line.pictures,
      isExport: before.isExport || line.isExport,
      fromMs: Math.min(before.fromMs, line.fromMs),
      untilMs: Math.max(before.untilMs, line.untilMs),
    };
  }
  return out;
}

/** Returns the reads that covered a record of an event. */
export function readsOf(
  entries: readonly AccessEntry[],
  { device, epoch, records }: Pick<TimelineEvent, 'device' | 'epoch' | 'records'>,
): readonly AccessEntry[] {
  const seqs = records.map(({ record }) => record.value.seq);
  return entries.filter(
    (entry) =>
      entry.device === device &&
      entry.epoch === epoch &&
      entry.fromSeq !== null &&
      entry.toSeq !== null &&
      seqs.some((seq) => seq >= (entry.fromSeq ?? 0) && seq <= (entry.toSeq ?? 0)),
  );
}
