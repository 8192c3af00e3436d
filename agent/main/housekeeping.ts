import type { CancelTimer, Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import { guard } from '../../common/guard.js';
import type { Log } from '../../common/log.js';
import type { Watchdog } from '../../hal/peripherals.js';
import type { AgentVitals } from '../health/vitals.js';
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
  readonly vitals?: (() => AgentVitals) | undefined;
  /** Whether the heap is nearly full; absent where nothing watches it. */
  readonly isHeapFull?: (() => boolean) | undefined;
  /** Stops the agent in order, and it is started again. */
  readonly onHeapFull?: (() => void) | undefined;
  /** Shows what is so now: the camera may have lost its sight, or regained it. */
  readonly showIndicator: () => void;
  readonly log: Log;
}

const INTERVAL_MS = 10_000;
const VITALS_INTERVAL_MS = 3_600_000;

/**
 * Records periodically what no event records: pending losses, withheld events, a wall clock that was set. Logs how the process
 * is at its start and every hour.
 */
export class Housekeeping {
  private readonly deps: HousekeepingDependencies;
  private cancel: CancelTimer = () => undefined;
  private vitalsDueMs = -Infinity;

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
    const { clockWatch, watchdog, outbox, recorder, now, showIndicator } = this.deps;
    this.logVitals();
    showIndicator();
    const jumpMs = clockWatch.jumpMs();
    if (jumpMs !== null) recordScene(this.deps, { class: 'clock-jump', durationMs: Math.abs(jumpMs) }, now());
    recorder.recordWithheld(now());
    outbox.flushLosses(now());
    this.stopBeforeHeapEnds();
    // Last: an agent whose outbox fails for long is restarted by the watchdog.
    watchdog.alive();
  }

  /** A leak ends in order: records that exist are on disk, and pictures in hand are finished. */
  private stopBeforeHeapEnds(): void {
    const { isHeapFull, onHeapFull, log } = this.deps;
    if (isHeapFull?.() !== true) return;
    const { code, message, hint } = heapFull();
    log.error({ code, hint }, message);
    onHeapFull?.();
  }

  private logVitals(): void {
    const { clock, vitals, log } = this.deps;
    if (vitals === undefined || clock.monotonicMs() < this.vitalsDueMs) return;
    this.vitalsDueMs = clock.monotonicMs() + VITALS_INTERVAL_MS;
    const { uptimeS, restarts, starts, memoryBytes, ownMemoryBytes } = vitals();
    log.info({ uptimeS, restarts, starts, memoryBytes, ownMemoryBytes }, 'the agent runs');
  }
}

/** The error with which an agent ends whose heap is full. */
export function heapFull(): SealcamError {
  return new SealcamError('heap-full', 'the heap is nearly full: the agent stops in order and is started again');
}
