import type { SystemClock } from '../../hal/system.js';
import type { RecordTime } from '../../protocol/objects/record.js';

/** The time of something that happened at `monotonicMs` on this clock, in this boot. */
export function recordTime(clock: SystemClock, monotonicMs: number): RecordTime {
  const { ms, quality } = clock.wall();
  const ago = clock.monotonicMs() - monotonicMs;
  return {
    boot: clock.bootId,
    monotonicMs: Math.max(0, Math.round(monotonicMs)),
    wallMs: ms === null ? null : Math.max(0, Math.round(ms - ago)),
    quality: ms === null ? 'unset' : quality,
  };
}

/** Notices that the wall clock was set: its distance to the monotonic clock changed. */
export class ClockWatch {
  private readonly clock: SystemClock;
  private distanceMs: number | null = null;

  constructor(clock: SystemClock) {
    this.clock = clock;
  }

  /** By how much the wall clock jumped since the last call, in milliseconds; null if it did not. */
  jumpMs(): number | null {
    const { ms } = this.clock.wall();
    if (ms === null) return null;
    const distanceMs = ms - this.clock.monotonicMs();
    const before = this.distanceMs;
    this.distanceMs = distanceMs;
    return before === null || Math.abs(distanceMs - before) < JUMP_MS ? null : Math.round(distanceMs - before);
  }
}

const JUMP_MS = 2000;
