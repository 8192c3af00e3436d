import type { Clock } from '../../common/clock.js';
import type { ClockQuality, System, SystemClock, SystemStatus } from '../system.js';
import { clockOffsetAt, type SceneScript } from './script.js';

/** A clock that a script sets forward and back, as an NTP client or a flat battery does. */
export class MockSystemClock implements SystemClock {
  readonly bootId: Uint8Array;
  quality: ClockQuality = 'ntp';
  private readonly clock: Clock;
  private readonly script: SceneScript;
  private readonly startedMs: number;

  constructor(clock: Clock, script: SceneScript, bootId: Uint8Array) {
    this.clock = clock;
    this.script = script;
    this.bootId = bootId;
    this.startedMs = clock.monotonicMs();
  }

  monotonicMs(): number {
    return Math.round(this.clock.monotonicMs());
  }

  wall(): { readonly ms: number | null; readonly quality: ClockQuality } {
    if (this.quality === 'unset') return { ms: null, quality: 'unset' };
    const offsetMs = clockOffsetAt(this.script, this.clock.monotonicMs() - this.startedMs);
    return { ms: Math.round(this.clock.wallMs() + offsetMs), quality: this.quality };
  }
}

/** A board whose state a test sets. */
export class MockSystem implements System {
  state: SystemStatus = { uptimeS: 60, temperatureDeciC: 415, freeBytes: 4_000_000_000, warnings: [] };

  status(): Promise<SystemStatus> {
    return Promise.resolve(this.state);
  }
}
