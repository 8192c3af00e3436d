import { fromHex, toHex } from '../../common/bytes.js';
import { sleep, type CancelTimer, type Clock } from '../../common/clock.js';
import { asSealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Log } from '../../common/log.js';
import { FaultLog } from '../alarms/fault-log.js';
import type { CloudStore, EpochKey } from '../store/store.js';

export interface SilenceDependencies {
  readonly store: CloudStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether messages of cameras arrive at present. */
  readonly isReceiving: () => boolean;
  /** Called once for each silence, whichever worker found it. `sinceMs`: when the last record came, wall time. */
  readonly onSilent: (at: EpochKey, sinceMs: number) => void;
  /** Called with the number of cameras that are silent together, which is taken for an outage of ours. */
  readonly onOutage: (cameras: number) => void;
}

/** A camera's list in the API says `incomplete` after the same time. */
const SILENT_AFTER_MS = 2 * LIMITS.healthCadenceMs;
const CHECK_INTERVAL_MS = 60_000;
const CAMERAS_MAX = 200_000;
/** This many, and half of all, at once: it is more likely that the cloud, or its broker, is cut off. */
const OUTAGE_CAMERAS_MIN = 20;
/** A silence that began before is no news. */
const RECENT_MAX_MS = 86_400_000;
/** Between two looks at cameras that this process never heard, so that a large store is not read at once. */
const UNHEARD_PAUSE_MS = 10;

/** Finds cameras that have sent nothing for two cadences. Time in which the cloud itself received nothing does not count. */
export class SilenceWatch {
  private readonly deps: SilenceDependencies;
  private readonly faults: FaultLog;
  private readonly stopping = new AbortController();
  /** By device: when it was heard last, on the monotonic clock. The one silent for longest comes first. */
  private readonly heardMs = new Map<string, number>();
  private receivingFromMs: number;
  private areAllKnown = false;
  private cancel: CancelTimer = () => undefined;

  constructor(deps: SilenceDependencies) {
    this.deps = deps;
    this.faults = new FaultLog(deps.clock, deps.log);
    this.receivingFromMs = deps.clock.monotonicMs();
  }

  start(): void {
    this.schedule();
  }

  stop(): void {
    this.stopping.abort();
    this.cancel();
  }

  /** Notes that something of this camera came. */
  hear(device: Uint8Array): void {
    const name = toHex(device);
    this.heardMs.delete(name);
    this.heardMs.set(name, this.deps.clock.monotonicMs());
    if (this.heardMs.size <= CAMERAS_MAX) return;
    const [oldest] = this.heardMs.keys();
    if (oldest !== undefined) this.heardMs.delete(oldest);
  }

  private schedule(): void {
    this.cancel = this.deps.clock.after(CHECK_INTERVAL_MS, () => {
      void this.check().then(() => {
        if (!this.stopping.signal.aborted) this.schedule();
      });
    });
  }

  /** Looks once for cameras that are silent. Never rejects. */
  private async check(): Promise<void> {
    const { clock, onOutage } = this.deps;
    const nowMs = clock.monotonicMs();
    if (!this.deps.isReceiving()) this.receivingFromMs = nowMs;
    if (nowMs - this.receivingFromMs < SILENT_AFTER_MS) return;
    const known = this.heardMs.size;
    const silent: string[] = [];
    for (const [name, heardMs] of this.heardMs) {
      if (nowMs - heardMs < SILENT_AFTER_MS) break;
      silent.push(name);
    }
    if (silent.length >= OUTAGE_CAMERAS_MIN && 2 * silent.length > known) {
      onOutage(silent.length);
      this.receivingFromMs = nowMs;
      return;
    }
    try {
      for (const name of silent) {
        // What came meanwhile put it at the end again.
        if ((this.heardMs.get(name) ?? nowMs) + SILENT_AFTER_MS > nowMs) continue;
        this.heardMs.delete(name);
        await this.inspect(fromHex(name, 32) ?? new Uint8Array(0));
      }
      if (!this.areAllKnown) await this.inspectUnheard();
    } catch (error) {
      this.faults.error(asSealcamError(error).code, {}, 'whether cameras are silent could not be found out');
    }
  }

  /** Looks once, slowly, at the cameras that this process never heard: they may have fallen silent while it was away. */
  private async inspectUnheard(): Promise<void> {
    const { store, clock } = this.deps;
    const { signal } = this.stopping;
    for await (const { device, epoch, state } of store.claims.open()) {
      if (signal.aborted) return;
      if (state !== 'open' || this.heardMs.has(toHex(device))) continue;
      if ((await store.claims.latest(device))?.epoch === epoch) await this.inspect(device);
      await sleep(clock, UNHEARD_PAUSE_MS, signal);
    }
    this.areAllKnown = true;
  }

  /** Tells of a camera, unless the store says that another worker heard it, or that it has been silent for much longer. */
  private async inspect(device: Uint8Array): Promise<void> {
    const { store, clock, onSilent } = this.deps;
    const row = await store.claims.latest(device);
    if (row?.state !== 'open') return;
    const { epoch } = row;
    const sinceMs = (await store.records.bounds(device, epoch))?.lastReceivedAtMs ?? row.acceptedAtMs;
    const silentMs = clock.wallMs() - sinceMs;
    if (silentMs < SILENT_AFTER_MS) {
      this.hear(device);
      return;
    }
    if (silentMs > RECENT_MAX_MS) return;
    if (await store.push.noteSilence({ device, epoch }, sinceMs)) onSilent({ device, epoch }, sinceMs);
  }
}
