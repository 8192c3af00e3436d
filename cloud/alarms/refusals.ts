import { toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { Alarm, CloudStore } from '../store/store.js';

export interface RefusalsDependencies {
  readonly store: CloudStore;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
}

export interface Refused extends Pick<Alarm, 'place' | 'verdict' | 'device' | 'epoch' | 'reader' | 'reason'> {
  /** What was refused, for the quarantine; null where a report says no more than that. */
  readonly bytes: Uint8Array | null;
}

/** Refusals that say that somebody mixed something up, or tried to. At a read and in the app every refusal does. */
const ALARMING_AT_INGEST = new Set(['foreign', 'revoked', 'equivocation']);
/** Kept per camera (at a report of the app: per reader) and minute; more are counted but not kept. */
const KEPT_PER_MINUTE = 30;

/**
 * What becomes of anything refused: counted and logged once, the bytes kept in the quarantine, and an alarm written where
 * it says that something was mixed up. All of it bounded; a store that fails here changes nothing about the refusal.
 */
export class Refusals {
  private readonly deps: RefusalsDependencies;
  private readonly kept = new Map<string, number>();
  private minute = 0;

  constructor(deps: RefusalsDependencies) {
    this.deps = deps;
  }

  async recordRefusal(refused: Refused): Promise<void> {
    const { counters, log } = this.deps;
    const { place, verdict, device, epoch, reason, bytes } = refused;
    const isAlarm = place !== 'ingest' || ALARMING_AT_INGEST.has(verdict);
    counters.add(place === 'ingest' ? `refused.${verdict}` : `refused.at-${place}`);
    const fields = { verdict, device: device === null ? null : toHex(device), epoch, reason };
    if (isAlarm) {
      counters.add('alarms');
      counters.add(`alarms.${place}`);
      log.error({ alarm: place, ...fields }, 'refused; somebody may have mixed something up');
    } else {
      log.warn({ ...fields, bytes: bytes?.length ?? 0 }, 'refused');
    }
    if (this.mayKeep(refused)) await this.storeRefusal(refused, isAlarm);
    else counters.add('quarantine.full');
  }

  private async storeRefusal(refused: Refused, isAlarm: boolean): Promise<void> {
    const { store, clock, log } = this.deps;
    const { place, verdict, device, epoch, reader, reason, bytes } = refused;
    const atMs = clock.wallMs();
    try {
      const quarantineId = bytes === null ? null : await store.quarantine.put({ atMs, device, verdict, reason, bytes });
      if (isAlarm) await store.alarms.put({ atMs, place, verdict, device, epoch, reader, reason, quarantineId });
    } catch (error) {
      log.error({ code: asSealcamError(error).code }, 'an alarm or the quarantine cannot be written');
    }
  }

  private mayKeep({ place, device, reader }: Refused): boolean {
    const minute = Math.floor(this.deps.clock.monotonicMs() / 60_000);
    if (minute !== this.minute) {
      this.minute = minute;
      this.kept.clear();
    }
    const who = place === 'app' ? reader : device;
    const name = `${place}/${who === null ? '' : toHex(who)}`;
    const count = (this.kept.get(name) ?? 0) + 1;
    this.kept.set(name, count);
    return count <= KEPT_PER_MINUTE;
  }
}
