import type { SystemClock } from '../../hal/system.js';
import type { RecordTime } from '../../protocol/objects/record.js';

/** Changes of the wall clock below this are drift, not a jump. */
const JUMP_MIN_MS = 2000;

/** Returns the record time of something that happened at `monotonicMs` in this boot. */
export function recordTime(clock: SystemClock, monotonicMs: number): RecordTime {
  const { ms, quality } = clock.wall();
  const agoMs = clock.monotonicMs() - monotonicMs;
  return {
    boot: clock.bootId,
    monotonicMs: Math.max(0, Math.round(monotonicMs)),
    wallMs: ms === null ? null : Math.max(0, Math.round(ms - agoMs)),
    quality: ms === null ? 'unset' : quality,
  };
}

/** Detects that the wall clock was set: its distance to the monotonic clock changes. */
export class ClockWatch {
  private readonly clock: SystemClock;
  private distanceMs: number | null = null;

  constructor(clock: SystemClock) {
    this.clock = clock;
  }

  /** Returns by how many milliseconds the wall clock jumped since the last call, null if it did not. */
  jumpMs(): number | null {
    const { ms } = this.clock.wall();
    if (ms === null) return null;
    const distanceMs = ms - this.clock.monotonicMs();
    const before = this.distanceMs;
    this.distanceMs = distanceMs;
    return before === null || Math.abs(distanceMs - before) < JUMP_MIN_MS ? null : Math.round(distanceMs - before);
  }
}
