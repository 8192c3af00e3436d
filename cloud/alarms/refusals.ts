import { toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import type { Log } from '../../common/log.js';
import type { Alarm, CloudStore } from '../store/store.js';
import { logFailure } from './fault-log.js';
import { countRefused } from './shares.js';

export interface RefusalsDependencies {
  readonly store: CloudStore;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
}

export interface Refusal extends Pick<Alarm, 'place' | 'verdict' | 'device' | 'epoch' | 'reader' | 'reason'> {
  /** The refused bytes, for the quarantine; null for a report that carries none. */
  readonly bytes: Uint8Array | null;
  /** Reported by a key that no claim names. All of these together have one share of what is stored. */
  readonly isByStranger?: boolean;
}

/** Verdicts that raise an alarm at ingest: a mix-up or an attack. At a read and in the app every refusal raises one. */
const ALARMING_AT_INGEST = new Set(['foreign', 'revoked', 'equivocation']);
/** Refusals stored and logged for each camera (for reports of the app: each reader) and minute. More are only counted. */
const KEPT_PER_MINUTE_MAX = 30;
const SOURCES_PER_MINUTE_MAX = 10_000;
/** Keys are free: so few that months of a flood do not push out what the readers of cameras report. */
const OF_STRANGERS_PER_DAY_MAX = 100;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * Records refused input: counts each refusal, logs it, keeps its bytes in the quarantine, and stores an alarm where it
 * points to a mix-up. All of it is bounded, and a store that fails here does not change the refusal.
 */
export class Refusals {
  private readonly deps: RefusalsDependencies;
  private readonly seenInMinute = new Map<string, number>();
  private minute = 0;
  private ofStrangers = 0;
  private strangersDay = 0;

  constructor(deps: RefusalsDependencies) {
    this.deps = deps;
  }

  /** Never rejects. */
  async recordRefusal(refusal: Refusal): Promise<void> {
    const { counters } = this.deps;
    const { place, verdict } = refusal;
    const isAlarm = place !== 'ingest' || ALARMING_AT_INGEST.has(verdict);
    counters.add(place === 'ingest' ? `refused.${verdict}` : `refused.at-${place}`);
    if (isAlarm) {
      counters.add('alarms');
      counters.add(`alarms.${place}`);
    }
    if (refusal.isByStranger === true && !this.hasRoomForStrangers()) {
      countRefused(counters, 'alarms-of-strangers');
      return;
    }
    const count = this.countInMinute(refusal);
    if (count <= KEPT_PER_MINUTE_MAX) {
      this.logRefusal(refusal, isAlarm);
      await this.storeRefusal(refusal, isAlarm);
      return;
    }
    counters.add('quarantine.full');
    if (count === KEPT_PER_MINUTE_MAX + 1) {
      const { device } = refusal;
      const fields = { place, verdict, device: device === null ? null : toHex(device) };
      this.deps.log.warn(fields, 'too many refusals: more of them are only counted in this minute');
    }
  }

  private logRefusal({ place, verdict, device, epoch, reason, bytes }: Refusal, isAlarm: boolean): void {
    const { log } = this.deps;
    const fields = { verdict, device: device === null ? null : toHex(device), epoch, reason };
    if (isAlarm) log.error({ alarm: place, ...fields }, 'refused; cameras or accounts may have been mixed up');
    else log.warn({ ...fields, bytes: bytes?.length ?? 0 }, 'refused');
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

  /** Counts one report of a stranger; returns whether it is among those of this day that are stored. */
  private hasRoomForStrangers(): boolean {
    const day = Math.floor(this.deps.clock.monotonicMs() / DAY_MS);
    if (day !== this.strangersDay) {
      this.strangersDay = day;
      this.ofStrangers = 0;
    }
    this.ofStrangers++;
    return this.ofStrangers <= OF_STRANGERS_PER_DAY_MAX;
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
    // Names are free: beyond this many in a minute, a new one gets nothing stored.
    if (this.seenInMinute.size >= SOURCES_PER_MINUTE_MAX && !this.seenInMinute.has(name)) return Infinity;
    const count = (this.seenInMinute.get(name) ?? 0) + 1;
    this.seenInMinute.set(name, count);
    return count;
  }
}
