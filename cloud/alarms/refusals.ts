import { toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import type { Log } from '../../common/log.js';
import type { Alarm, CloudStore } from '../store/store.js';
import { logFailure } from './fault-log.js';

export interface RefusalsDependencies {
  readonly store: CloudStore;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
}

export interface Refusal extends Pick<Alarm, 'place' | 'verdict' | 'device' | 'epoch' | 'reader' | 'reason'> {
  /** The refused bytes, for the quarantine; null for a report that carries none. */
  readonly bytes: Uint8Array | null;
}

/** Verdicts that raise an alarm at ingest: a mix-up or an attack. At a read and in the app every refusal raises one. */
const ALARMING_AT_INGEST = new Set(['foreign', 'revoked', 'equivocation']);
/** Refusals logged and stored for each camera (for reports of the app: each reader) and minute. More are only counted. */
const STORED_PER_MINUTE_MAX = 30;
const MINUTE_MS = 60_000;

/**
 * Records refused input: counts and logs each refusal, keeps its bytes in the quarantine, and stores an alarm where it
 * points to a mix-up. All of it is bounded, and a store that fails here does not change the refusal.
 */
export class Refusals {
  private readonly deps: RefusalsDependencies;
  private readonly seenInMinute = new Map<string, number>();
  private minute = 0;

  constructor(deps: RefusalsDependencies) {
    this.deps = deps;
  }

  /** Never rejects. */
  async recordRefusal(refusal: Refusal): Promise<void> {
    const { counters, log } = this.deps;
    const { place, verdict, device, epoch, reason, bytes } = refusal;
    const isAlarm = place !== 'ingest' || ALARMING_AT_INGEST.has(verdict);
    counters.add(place === 'ingest' ? `refused.${verdict}` : `refused.at-${place}`);
    const isNoted = this.countInMinute(refusal) <= STORED_PER_MINUTE_MAX;
    const fields = { verdict, device: device === null ? null : toHex(device), epoch, reason };
    if (isAlarm) {
      counters.add('alarms');
      counters.add(`alarms.${place}`);
      if (isNoted) log.error({ alarm: place, ...fields }, 'refused; cameras or accounts may have been mixed up');
    } else if (isNoted) {
      log.warn({ ...fields, bytes: bytes?.length ?? 0 }, 'refused');
    }
    if (isNoted) await this.storeRefusal(refusal, isAlarm);
    else counters.add('quarantine.full');
  }

  private async storeRefusal(refusal: Refusal, isAlarm: boolean): Promise<void> {
    const { store, clock, log } = this.deps;
    const { place, verdict, device, epoch, reader, reason, bytes } = refusal;
    const atMs = clock.wallMs();
    try {
      const quarantineId = bytes === null ? null : await store.quarantine.put({ atMs, device, verdict, reason, bytes });
      if (isAlarm) await store.alarms.put({ atMs, place, verdict, device, epoch, reader, reason, quarantineId });
    } catch (error) {
      logFailure(log, error, 'the quarantine entry or the alarm could not be stored');
    }
  }

  /** Returns how many refusals of this camera or reader came in the current minute, with this one. */
  private countInMinute({ place, device, reader }: Refusal): number {
    const minute = Math.floor(this.deps.clock.monotonicMs() / MINUTE_MS);
    if (minute !== this.minute) {
      this.minute = minute;
      this.seenInMinute.clear();
    }
    const id = place === 'app' ? reader : device;
    const name = `${place}/${id === null ? '' : toHex(id)}`;
    const count = (this.seenInMinute.get(name) ?? 0) + 1;
    this.seenInMinute.set(name, count);
    return count;
  }
}
