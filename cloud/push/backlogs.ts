import { toHex } from '../../common/bytes.js';
import type { CancelTimer, Clock } from '../../common/clock.js';
import { Lru } from '../../common/lru.js';
import type { EpochKey } from '../store/store.js';
import type { PushKind } from './choices.js';

/** How many things of each kind a camera brought late. */
export type Counts = ReadonlyMap<PushKind, number>;

export interface BacklogDependencies {
  readonly clock: Clock;
  /** Called once nothing more came for a while. */
  readonly onDue: (at: EpochKey, counts: Counts) => void;
}

interface Backlog {
  readonly at: EpochKey;
  readonly counts: Map<PushKind, number>;
  lastMs: number;
  cancel: CancelTimer;
}

/** A backlog is over once nothing of it came for this time. */
const QUIET_MS = 30_000;
/** Least time between two summaries of one camera: one whose clock is wrong brings each event late. */
const INTERVAL_MS = 3_600_000;
const CAMERAS_MAX = 50_000;

/** Counts what cameras bring late, and gives one summary of it for each camera. */
export class Backlogs {
  private readonly deps: BacklogDependencies;
  private readonly open = new Map<string, Backlog>();
  private readonly toldMs = new Lru<string, number>(CAMERAS_MAX);

  constructor(deps: BacklogDependencies) {
    this.deps = deps;
  }

  /** Returns false, and counts nothing, where as many cameras have a backlog as may. */
  add({ device, epoch }: EpochKey, kind: PushKind): boolean {
    const { clock } = this.deps;
    const name = `${toHex(device)}/${String(epoch)}`;
    let backlog = this.open.get(name);
    if (backlog === undefined) {
      if (this.open.size >= CAMERAS_MAX) return false;
      backlog = { at: { device, epoch }, counts: new Map(), lastMs: 0, cancel: () => undefined };
      this.open.set(name, backlog);
      this.wait(name, backlog, QUIET_MS);
    }
    backlog.counts.set(kind, (backlog.counts.get(kind) ?? 0) + 1);
    backlog.lastMs = clock.monotonicMs();
    return true;
  }

  stop(): void {
    for (const { cancel } of this.open.values()) cancel();
    this.open.clear();
  }

  private wait(name: string, backlog: Backlog, delayMs: number): void {
    backlog.cancel = this.deps.clock.after(delayMs, () => {
      this.check(name, backlog);
    });
  }

  private check(name: string, backlog: Backlog): void {
    const nowMs = this.deps.clock.monotonicMs();
    const dueMs = Math.max(backlog.lastMs + QUIET_MS, (this.toldMs.get(name) ?? -Infinity) + INTERVAL_MS);
    if (dueMs > nowMs) {
      this.wait(name, backlog, dueMs - nowMs);
      return;
    }
    this.open.delete(name);
    this.toldMs.set(name, nowMs);
    this.deps.onDue(backlog.at, backlog.counts);
  }
}
