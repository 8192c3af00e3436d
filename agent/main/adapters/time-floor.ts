import { readFileSync } from 'node:fs';
import { writeDurableFile } from '../../../common/adapters/durable-file.js';
import type { CancelTimer, Clock } from '../../../common/clock.js';
import { asSealcamError } from '../../../common/errors.js';
import type { Log } from '../../../common/log.js';
import type { SystemClock } from '../../../hal/system.js';

const SAVE_INTERVAL_MS = 3_600_000;

/**
 * The earliest time that it can be: the build time of this program, or the last network time that was saved. A wall clock
 * below the floor is wrong, as after a boot without a clock chip. Only network time raises the floor, because a floor that
 * is too high locks the camera out. Network time is also trusted below the floor, so that one lying server cannot lock the
 * camera out for good.
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

  /** Returns the floor, null while the wall clock can be trusted. */
  floorMs(): number | null {
    const { ms, quality } = this.clock.wall();
    return ms !== null && (quality === 'ntp' || ms >= this.earliestMs) ? null : this.earliestMs;
  }

  /** Saves the network time now and every hour, until the returned function is called. */
  startSaving(clock: Clock): CancelTimer {
    let cancel: CancelTimer = () => undefined;
    const saveAndRepeat = (): void => {
      this.save();
      cancel = clock.after(SAVE_INTERVAL_MS, saveAndRepeat);
    };
    saveAndRepeat();
    return () => {
      cancel();
    };
  }

  private save(): void {
    const { ms, quality } = this.clock.wall();
    if (ms === null || quality !== 'ntp') return;
    try {
      writeDurableFile(this.path, String(ms));
    } catch (error) {
      this.log.warn({ code: asSealcamError(error, 'store-unavailable').code }, 'the time floor could not be saved');
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
