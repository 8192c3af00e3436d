import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
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
    readonly isBrokerConnected: boolean;
    /** Why nothing is deleted by its age; null while the clocks agree. */
    readonly clockDoubt: string | null;
  };
  readonly residentBytes: () => number;
  readonly startedAtMs: number;
}

/** Figures from the store. */
export interface StoreFacts {
  readonly online: number;
  readonly quarantine: number;
  readonly pauses: readonly ReadsPause[];
  readonly alarms: readonly Alarm[];
}

const ALARMS_SHOWN_MAX = 8;

/** Reads the figures of the store; null where it does not answer. */
export async function storeFacts({ store }: Pick<OperatorSources, 'store'>): Promise<StoreFacts | null> {
  try {
    const [online, quarantine, pauses, alarms] = await Promise.all([
      store.records.onlineCount(),
      store.quarantine.count(),
      store.reads.pauses(),
      store.alarms.since(0, ALARMS_SHOWN_MAX),
    ]);
    return { online, quarantine, pauses, alarms };
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
