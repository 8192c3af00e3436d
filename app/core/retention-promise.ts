import type { Floor } from '../../protocol/objects/floor.js';
import { CLOCK_AHEAD_MAX_MS } from './plausible-time.js';
import type { HistoryStorage, KnownHead } from './storage.js';

const KEEPS_FOR = 'keeps-for-ms';

/** What this device knows itself of the records below a floor. */
interface FloorWitnesses {
  /** The records that were loaded here. */
  readonly log: { readonly latestBelow: (seq: number) => number | null };
  readonly head: KnownHead | null;
  /** This device's wall clock, UTC. */
  readonly nowMs: number;
}

/** How long the cloud promised to keep records, as this device heard it, and whether a floor breaks that promise. */
export class RetentionPromise {
  private readonly storage: HistoryStorage;
  /** The longest period promised so far, in milliseconds; 0 before the first. */
  keepsForMs = 0;

  constructor(storage: HistoryStorage) {
    this.storage = storage;
  }

  async load(): Promise<void> {
    const saved = Number((await this.storage.setting(KEEPS_FOR)) ?? 0);
    this.keepsForMs = Number.isSafeInteger(saved) ? saved : 0;
  }

  /** Notes the period that the cloud names. */
  async note(keepsForMs: number): Promise<void> {
    if (keepsForMs <= this.keepsForMs) return;
    this.keepsForMs = keepsForMs;
    await this.storage.saveSetting(KEEPS_FOR, String(keepsForMs));
  }

  /**
   * Holds the cloud to a floor's own period from now on. Returns what is wrong with the floor: a shorter period than was promised, a time that has not come, or a record known here
   * that was too young to go. Records rise in time, so one below the floor is no younger than those that went. Null if nothing is.
   */
  async hold(floor: Floor, witnesses: FloorWitnesses): Promise<string | null> {
    const broken = this.brokenBy(floor, witnesses);
    await this.note(floor.periodMs);
    return broken;
  }

  private brokenBy({ belowSeq, sinceMs, periodMs }: Floor, { log, head, nowMs }: FloorWitnesses): string | null {
    const named = `the cloud deleted the records below ${String(belowSeq)}`;
    if (periodMs < this.keepsForMs) {
      return `${named} after ${days(periodMs)}; it had promised ${days(this.keepsForMs)}`;
    }
    if (sinceMs > nowMs + CLOCK_AHEAD_MAX_MS) return `${named} at a time that has not come`;
    const headMs = head !== null && head.seq < belowSeq ? (head.atMs ?? 0) : 0;
    const latestMs = Math.max(headMs, log.latestBelow(belowSeq) ?? 0);
    // A camera's clock may be a little ahead.
    if (latestMs <= sinceMs - periodMs + CLOCK_AHEAD_MAX_MS) return null;
    return `${named}, some of them younger than the ${days(periodMs)} for which it keeps them`;
  }
}

function days(ms: number): string {
  const whole = Math.round(ms / 86_400_000);
  return whole === 1 ? 'one day' : `${String(whole)} days`;
}
