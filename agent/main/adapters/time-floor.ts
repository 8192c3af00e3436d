import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { CancelTimer, Clock } from '../../../common/clock.js';
import { asSealcamError } from '../../../common/errors.js';
import type { Log } from '../../../common/log.js';
import type { SystemClock } from '../../../hal/system.js';

const NOTE_EVERY_MS = 3_600_000;

/**
 * The earliest that it can be: when this program was made, or the last network time that was noted. A wall clock before it
 * is wrong, as after a boot without a clock chip. Only network time is noted, for a floor that is too high shuts a camera
 * out; and network time is believed below the floor too, so that one lying server does not do that for good.
 */
export class TimeFloor {
  private readonly path: string;
  private readonly clock: SystemClock;
  private readonly log: Log;
  private earliestMs: number;

  constructor(path: string, clock: SystemClock, builtMs: number, log: Log) {
    this.path = path;
    this.clock = clock;
    this.log = log;
    this.earliestMs = Math.max(builtMs, read(path));
  }

  /** Null while the wall clock can be believed. */
  floorMs(): number | null {
    const { ms, quality } = this.clock.wall();
    return ms !== null && (quality === 'ntp' || ms >= this.earliestMs) ? null : this.earliestMs;
  }

  /** Notes the network's time now and every hour. */
  startSaving(clock: Clock): CancelTimer {
    let cancel: CancelTimer = () => undefined;
    const note = (): void => {
      this.save();
      cancel = clock.after(NOTE_EVERY_MS, note);
    };
    note();
    return () => {
      cancel();
    };
  }

  private save(): void {
    const { ms, quality } = this.clock.wall();
    if (ms === null || quality !== 'ntp') return;
    try {
      // The old one or the new one after a power cut; a lost note only lowers the floor.
      writeFileSync(`${this.path}.new`, String(ms), { mode: 0o600 });
      renameSync(`${this.path}.new`, this.path);
    } catch (error) {
      this.log.warn({ code: asSealcamError(error, 'store-unavailable').code }, 'the time could not be noted');
    }
  }
}

function read(path: string): number {
  try {
    const ms = Number(readFileSync(path, 'utf8'));
    return Number.isSafeInteger(ms) ? ms : 0;
  } catch {
    return 0;
  }
}
