import type { CancelTimer, Clock } from '../../common/clock.js';
import { guard } from '../../common/guard.js';
import type { Log } from '../../common/log.js';
import type { Watchdog } from '../../hal/peripherals.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import type { Outbox } from '../outbox/outbox.js';
import type { ClockWatch } from '../record/record-time.js';
import type { Recorder } from '../record/recorder.js';
import { recordScene } from '../record/scene.js';

export interface HousekeepingDependencies {
  readonly clock: Clock;
  readonly clockWatch: ClockWatch;
  readonly watchdog: Watchdog;
  readonly outbox: Outbox;
  readonly recorder: Recorder;
  readonly now: () => RecordTime;
  readonly log: Log;
}

const INTERVAL_MS = 10_000;

/** Records periodically what no event records: pending losses, withheld events, a wall clock that was set. */
export class Housekeeping {
  private readonly deps: HousekeepingDependencies;
  private cancel: CancelTimer = () => undefined;

  constructor(deps: HousekeepingDependencies) {
    this.deps = deps;
  }

  start(): void {
    const { clock, watchdog, log } = this.deps;
    guard(log, 'housekeeping failed', () => {
      this.run();
    });
    this.cancel = clock.after(Math.min(INTERVAL_MS, watchdog.intervalMs ?? INTERVAL_MS), () => {
      this.start();
    });
  }

  stop(): void {
    this.cancel();
  }

  private run(): void {
    const { clockWatch, watchdog, outbox, recorder, now } = this.deps;
    const jumpMs = clockWatch.jumpMs();
    if (jumpMs !== null) recordScene(this.deps, { class: 'clock-jump', durationMs: Math.abs(jumpMs) }, now());
    recorder.recordWithheld(now());
    outbox.flushLosses(now());
    // Last: an agent whose outbox fails for long is restarted by the watchdog.
    watchdog.alive();
  }
}
