import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import type { Alarm, CloudStore, ReadsPause } from '../store/store.js';

export interface OperatorSources {
  readonly store: CloudStore;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly gauges: () => { readonly waiting: number; readonly streams: number; readonly isBrokerConnected: boolean };
  readonly residentBytes: () => number;
  readonly startedAtMs: number;
}

/** What the store says; null as a whole when it does not answer. */
export interface StoreFacts {
  readonly online: number;
  readonly quarantine: number;
  readonly pauses: readonly ReadsPause[];
  readonly alarms: readonly Alarm[];
}

const ALARMS_SHOWN = 8;

export async function storeFacts({ store }: Pick<OperatorSources, 'store'>): Promise<StoreFacts | null> {
  try {
    const [online, quarantine, pauses, alarms] = await Promise.all([
      store.records.onlineCount(),
      store.quarantine.count(),
      store.reads.pauses(),
      store.alarms.since(0, ALARMS_SHOWN),
    ]);
    return { online, quarantine, pauses, alarms };
  } catch {
    return null;
  }
}

/** What becomes of a record; a refusal by its verdict. */
export function recordsByVerdict(counters: Counters): ReadonlyMap<string, number> {
  const out = new Map([
    ['stored', counters.get('records.stored')],
    ['duplicate', counters.get('records.duplicate')],
  ]);
  for (const verdict of ['malformed', 'unsupported', 'foreign', 'revoked', 'equivocation']) {
    out.set(verdict, counters.get(`refused.${verdict}`));
  }
  return out;
}

/** Calls of the store that failed, by who called. */
export function storeErrors(counters: Counters): ReadonlyMap<string, number> {
  return new Map(['ingest', 'api', 'streams'].map((part) => [part, counters.get(`${part}.store-unavailable`)]));
}

export function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}
