import type { CloudStore, EpochKey } from '../../../cloud/store/store.js';
import { mediaIdOf, type Filled } from './fill.js';

export interface ReadCase {
  readonly name: string;
  readonly read: (store: CloudStore, at: ReadPlace) => Promise<unknown>;
}

/** A filled store, and a place in it that differs from one repetition to the next. */
export interface ReadPlace extends Filled {
  /** A seq in the middle. */
  readonly middle: number;
  /** An arrival number in the middle, and the last one. */
  readonly middleId: number;
  readonly lastId: number;
  readonly nowMs: number;
}

const PAGE = 50;
const STREAM = 100;

function epochsOf(...devices: readonly Uint8Array[]): readonly EpochKey[] {
  return devices.map((device) => ({ device, epoch: 1 }));
}

/** Every read of a page, a stream, an operator's page and of ingest. */
export const READ_CASES: readonly ReadCase[] = [
  { name: 'claim row', read: ({ claims }, { busy }) => claims.row(busy, 1) },
  { name: 'newest claim of a camera', read: ({ claims }, { busy }) => claims.latest(busy) },
  { name: 'membership', read: ({ claims }, { busy, reader }) => claims.isMember(busy, 1, reader) },
  { name: "a reader's cameras", read: ({ claims }, { reader }) => claims.readableBy(reader) },
  { name: 'bounds', read: ({ records }, { busy }) => records.bounds(busy, 1) },
  { name: 'bounds, all deleted', read: ({ records }, { deleted }) => records.bounds(deleted, 1) },
  { name: 'newest health', read: ({ records }, { busy }) => records.latestHealth(busy, 1) },
  { name: 'newest health, all deleted', read: ({ records }, { deleted }) => records.latestHealth(deleted, 1) },
  { name: 'one record', read: ({ records }, { busy, middle }) => records.get(busy, 1, middle) },
  { name: 'newest page', read: ({ records }, { busy }) => records.page(busy, 1, Number.MAX_SAFE_INTEGER, PAGE) },
  { name: 'middle page', read: ({ records }, { busy, middle }) => records.page(busy, 1, middle, PAGE) },
  {
    name: 'newest page, all deleted',
    read: ({ records }, { deleted }) => records.page(deleted, 1, Number.MAX_SAFE_INTEGER, PAGE),
  },
  { name: 'history of a record', read: ({ records }, { busy, middle }) => records.chainFacts(busy, 1, middle) },
  {
    name: 'history after a signed hole',
    read: ({ records }, { busy, middle }) => records.chainFacts(busy, 1, middle - (middle % 50)),
  },
  {
    name: 'stream resumed at its end',
    read: ({ records }, { busy, quiet, lastId }) => records.since(lastId, epochsOf(busy, ...quiet.slice(0, 8)), STREAM),
  },
  {
    name: 'stream resumed far back',
    read: ({ records }, { busy, quiet }) => records.since(1, epochsOf(busy, ...quiet.slice(0, 8)), STREAM),
  },
  {
    name: 'stream of a quiet camera, resumed far back',
    read: ({ records }, { quiet }) => records.since(1, epochsOf(...quiet.slice(-1)), STREAM),
  },
  { name: 'arrivals of all', read: ({ records }, { middleId }) => records.arrivals(middleId, STREAM) },
  { name: 'last arrival', read: ({ records }) => records.lastId() },
  {
    name: 'media present',
    read: ({ records }, { busy, middle }) => records.mediaPresent(busy, 1, middle, [mediaIdOf(middle)]),
  },
  {
    name: 'a picture',
    read: ({ records }, { busy, middle }) => records.media(busy, 1, mediaIdOf(middle - (middle % 4))),
  },
  {
    name: 'signed loss of a picture',
    read: ({ records }, { busy, middle }) => records.isLossSigned(busy, 1, mediaIdOf(middle)),
  },
  { name: 'statements of deletion', read: ({ deletions }, { deleted }) => deletions.of(deleted, 1) },
  { name: 'deletions that are due', read: ({ deletions }, { nowMs }) => deletions.due(nowMs, PAGE) },
  { name: 'status of a camera', read: ({ records }, { busy }) => records.status(busy) },
  { name: 'cameras online', read: ({ records }) => records.onlineCount() },
  { name: 'size of the quarantine', read: ({ quarantine }) => quarantine.count() },
  { name: 'newest of the quarantine', read: ({ quarantine }) => quarantine.newest(PAGE) },
  { name: 'alarms', read: ({ alarms }) => alarms.since(0, PAGE) },
  {
    name: 'overdue for retention',
    read: ({ retention }, { nowMs }) => retention.overdue(nowMs - 30 * 86_400_000, 10_000),
  },
];
