import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import type { Overdue } from '../store/statement-store.js';
import type { Alarm, CloudStore, ReadsPause } from '../store/store.js';

/** Where the operator's figures come from. */
export interface OperatorSources {
  readonly store: CloudStore;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly gauges: () => {
    readonly waiting: number;
    readonly busyCameras: number;
    readonly streams: number;
    readonly looks: number;
    readonly pushes: number;
    readonly isBrokerConnected: boolean;
    /** Why no messages arrive from the broker; null while they do. */
    readonly brokerFault: string | null;
    /** Why nothing is deleted by its age; null while the clocks agree. */
    readonly clockDoubt: string | null;
  };
  /** Why this process cannot do its work at present; null if it can. */
  readonly notReady: () => Promise<string | null>;
  /** How long records are kept. */
  readonly keptForMs: number;
  readonly residentBytes: () => number;
  readonly startedAtMs: number;
}

/** Figures from the store. */
export interface StoreFacts {
  readonly online: number;
  readonly quarantine: number;
  readonly pauses: readonly ReadsPause[];
  readonly alarms: readonly Alarm[];
  /** What retention has not deleted yet. Records that wait behind a younger one of their epoch count too. */
  readonly overdue: Overdue;
  /** For how long the oldest of it is overdue. */
  readonly overdueMs: number;
  /** Bodies of clips that wait to be removed from the media store. */
  readonly discarded: number;
}

const ALARMS_SHOWN_MAX = 8;
/** Above it the number of overdue records, or of bodies that wait, is not worth its query. */
const OVERDUE_COUNTED_MAX = 10_000;

/** Reads the figures of the store; null where it does not answer. */
export async function storeFacts({
  store,
  clock,
  keptForMs,
}: Pick<OperatorSources, 'store' | 'clock' | 'keptForMs'>): Promise<StoreFacts | null> {
  const beforeMs = Math.floor(clock.wallMs() - keptForMs);
  try {
    const [online, quarantine, pauses, alarms, overdue, discarded] = await Promise.all([
      store.records.onlineCount(),
      store.quarantine.count(),
      store.reads.pauses(),
      store.alarms.since(0, ALARMS_SHOWN_MAX),
      store.retention.overdue(beforeMs, OVERDUE_COUNTED_MAX),
      store.segments.discardedCount(OVERDUE_COUNTED_MAX),
    ]);
    const overdueMs = overdue.oldestMs === null ? 0 : Math.max(0, beforeMs - overdue.oldestMs);
    return { online, quarantine, pauses, alarms, overdue, overdueMs, discarded };
  } catch {
    return null;
  }
}

/** Returns how many records were stored, were duplicates, or were refused, by verdict. */
export function recordsByVerdict(counters: Counters): ReadonlyMap<string, number> {
  const counts = new Map([
    ['stored', counters.get('records.stored')],
    ['duplicate', counters.get('records.duplicate')],
  ]);
  for (const verdict of ['malformed', 'unsupported', 'foreign', 'revoked', 'equivocation']) {
    counts.set(verdict, counters.get(`refused.${verdict}`));
  }
  return counts;
}

/** Returns how many calls of the store failed, by the part that called. */
export function storeErrors(counters: Counters): ReadonlyMap<string, number> {
  return new Map(['ingest', 'api', 'streams'].map((part) => [part, counters.get(`${part}.store-unavailable`)]));
}

export function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}
