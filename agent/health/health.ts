import type { CancelTimer, Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { guardAsync } from '../../common/guard.js';
import type { Log } from '../../common/log.js';
import type { System } from '../../hal/system.js';
import type { RecordHealthV2 } from '../../protocol/objects/record-fields-v2.js';
import type { RecordHealth, RecordTime } from '../../protocol/objects/record.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import type { Outbox } from '../outbox/outbox.js';
import type { AgentVitals } from './vitals.js';

/** What a record can say. */
const RING_SECONDS_MAX = 3600;

export type CameraState = RecordHealth['camera'];

export interface HealthDependencies {
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly system: System;
  readonly outbox: Outbox;
  readonly counters: Counters;
  readonly agentVersion: string;
  readonly now: () => RecordTime;
  readonly cameraState: () => CameraState;
  readonly isPrivate: () => boolean;
  readonly connects: () => number;
  /** How the process is; absent where nothing measures it. Version 2 signs it. */
  readonly vitals?: (() => AgentVitals) | undefined;
  /** Length of video in the ring of clips, in milliseconds; null without clips. */
  readonly ringMs?: () => number | null;
  /** Whether the camera has a light that shows what it does. */
  readonly hasLight?: boolean;
  readonly log: Log;
}

/**
 * Records the camera's health at every interval, 15 minutes at most: two intervals of silence tell the cloud that something
 * is wrong.
 */
export class Health {
  private readonly deps: HealthDependencies;
  private cancel: CancelTimer = () => undefined;
  private stopped = false;
  private loggedWarnings = '';

  constructor(deps: HealthDependencies) {
    this.deps = deps;
  }

  start(): void {
    void this.tick();
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  /** Appends one record now, if the camera has an owner. Errors are logged. */
  async record(): Promise<void> {
    await guardAsync(this.deps.log, 'no health record', () => this.append());
  }

  private async append(): Promise<void> {
    const { outbox, now } = this.deps;
    if (outbox.currentClaim() === null) return;
    const measured = await this.measure();
    // After the measuring, which takes its time: the version is that of the claim in force when it is appended.
    const claim = outbox.currentClaim();
    if (claim === null) return;
    const health = isVersionTwo(claim.value) ? { ...measured, ...this.ofProcess() } : measured;
    outbox.append({ kind: 'health', time: now(), health });
  }

  /** What version 2 has beside. */
  private ofProcess(): Omit<RecordHealthV2, keyof RecordHealth> {
    const { vitals, ringMs, hasLight = false } = this.deps;
    const { memoryBytes = 0, ownMemoryBytes = null, restarts = 0, writtenPerDay = null } = vitals?.() ?? {};
    const heldMs = ringMs?.() ?? null;
    return {
      memoryBytes: ownMemoryBytes ?? memoryBytes,
      restarts,
      light: hasLight,
      ...(heldMs === null ? {} : { ringSeconds: Math.min(RING_SECONDS_MAX, Math.floor(heldMs / 1000)) }),
      ...(writtenPerDay === null ? {} : { flashBytesPerDay: writtenPerDay }),
    };
  }

  /** Measures what a health record holds. */
  async measure(): Promise<RecordHealth> {
    const { system, outbox, counters, agentVersion, cameraState, isPrivate, connects } = this.deps;
    const { uptimeS, temperatureDeciC, freeBytes, warnings } = await system.status();
    this.logWarnings(warnings);
    return {
      agent: agentVersion,
      uptimeS,
      ...(temperatureDeciC === null ? {} : { temperatureDeciC }),
      freeBytes,
      ...outbox.totals(),
      framesSeen: counters.get('frames.seen'),
      framesDropped: counters.get('frames.dropped'),
      framesCorrupt: counters.get('frames.corrupt'),
      camera: cameraState(),
      privacy: isPrivate(),
      connects: connects(),
    };
  }

  /** Logs each change once: a weak supply stays weak. */
  private logWarnings(warnings: readonly string[]): void {
    const text = warnings.join('; ');
    if (text !== '' && text !== this.loggedWarnings) this.deps.log.warn({}, `the board: ${text}`);
    this.loggedWarnings = text;
  }

  private async tick(): Promise<void> {
    await this.record();
    if (this.stopped) return;
    this.cancel = this.deps.clock.after(this.deps.intervalMs, () => {
      void this.tick();
    });
  }
}
