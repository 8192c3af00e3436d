import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { LIMITS } from '../../common/limits.js';
import type { Log } from '../../common/log.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import { logFailure } from '../alarms/fault-log.js';
import type { CloudStore } from '../store/store.js';
import { CameraTimes, type CameraOpinion } from './camera-times.js';

export interface DeletionClockDependencies {
  readonly store: Pick<CloudStore, 'times' | 'alarms' | 'records'>;
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Counters;
  readonly log: Log;
  /** The period after which records are deleted. */
  readonly periodMs: number;
}

/** A time that may decide what is old, or why no time may. */
export type DeletionTime =
  | { readonly type: 'agreed'; readonly nowMs: number }
  /** Nothing may be deleted by its age. */
  | { readonly type: 'doubt'; readonly reason: string };

interface Doubt {
  readonly kind: 'ahead' | 'behind' | 'cameras';
  readonly reason: string;
  readonly sinceMonotonicMs: number;
}

/** The latest time that was trusted, and when that was on the monotonic clock. */
interface Anchor {
  readonly wallMs: number;
  readonly monotonicMs: number;
  readonly witness: 'the monotonic clock of this process' | 'the newest time stored';
}

/** How far clocks may differ: a night without the cloud, or asleep, is no fault. Less where the period is short. */
const TOLERANCE_MAX_MS = 86_400_000;
const TOLERANCE_SHARE = 0.1;
/** Fewer cameras cannot put the cloud's clock in doubt: one or two that lie must not stop retention for everybody. */
export const CAMERAS_TO_CONTRADICT = 3;
/** Cameras confirm a clock only after every connected one had time to speak, so that the first to speak does not decide. */
export const LISTEN_MS = 2 * LIMITS.healthCadenceMs;
const REMEDY =
  "nothing is deleted by its age until they agree again, and then goes on by itself; check this machine's time service";

/**
 * Decides whether the wall clock may tell what is old enough to be deleted. It is compared with the monotonic clock of
 * this process, with the newest time that the store ever trusted, and with what cameras sign under network time. While
 * they disagree, nothing is deleted by its age. The rules and their reasons: docs/decisions/0014-clocks-of-deletion.md.
 */
export class DeletionClock {
  readonly toleranceMs: number;
  private readonly deps: DeletionClockDependencies;
  private readonly cameras: CameraTimes;
  private anchor: Anchor | null = null;
  private doubt: Doubt | null = null;
  /** Monotonic time at which this process began to listen to cameras. */
  private startedMonotonicMs = 0;
  /** A stored time that was overruled, since it came from a clock that was ahead; other workers may count on from it. */
  private overruled: Omit<Anchor, 'witness'> | null = null;
  /** Time from which this process stored records by the clock as it is set now; null before the clocks first agreed. */
  private agreedFromMs: number | null = null;
  /** Set once doubt has outlasted the period, until the cameras contradict no more. */
  private isContradictionOverruled = false;
  /** What most cameras' clocks are ahead of this process's monotonic clock, while they put the wall clock in doubt. */
  private camerasOffsetMs: number | null = null;

  constructor(deps: DeletionClockDependencies) {
    this.deps = deps;
    this.cameras = new CameraTimes(deps.suite, deps.random.bytes(16));
    this.toleranceMs = Math.min(TOLERANCE_MAX_MS, deps.periodMs * TOLERANCE_SHARE);
  }

  /**
   * Reads the newest time from the store. Call it before records are received.
   *
   * @throws SealcamError `store-unavailable`
   */
  async start(): Promise<void> {
    const { store, clock } = this.deps;
    const newestMs = await store.times.newest();
    this.startedMonotonicMs = clock.monotonicMs();
    this.anchor = {
      // An empty store has no witness yet; what it receives is as old as this clock says, right or wrong.
      wallMs: newestMs ?? clock.wallMs(),
      monotonicMs: this.startedMonotonicMs,
      witness: 'the newest time stored',
    };
    await this.check();
  }

  /** Notes the signed time of a record that was bound to its claim and is new. */
  observe(device: Uint8Array, { wallMs, quality }: RecordTime): void {
    if (quality !== 'ntp' || wallMs === null) return;
    this.cameras.observe(device, wallMs, this.deps.clock.monotonicMs());
  }

  /**
   * Returns the time to store as that of a receipt. In doubt it is the latest that can be true: a receive time that is
   * too late keeps a record longer and is corrected when the clocks agree again; one that is too early would delete it.
   */
  receiveTimeMs(): number {
    const { clock } = this.deps;
    const wallMs = clock.wallMs();
    if (this.anchor === null) return wallMs;
    const expectedMs = this.expectedMs(this.anchor);
    if (this.doubt === null && Math.abs(wallMs - expectedMs) <= this.toleranceMs) return wallMs;
    const camerasMs = this.camerasOffsetMs === null ? 0 : this.camerasOffsetMs + clock.monotonicMs();
    return Math.round(Math.max(wallMs, expectedMs, camerasMs));
  }

  /** Why nothing is deleted by its age at present; null while the clocks agree. */
  get reason(): string | null {
    return this.doubt?.reason ?? null;
  }

  /**
   * Compares the clocks now. Raises an alarm where they begin to disagree.
   *
   * @throws SealcamError `store-unavailable`
   */
  async check(): Promise<DeletionTime> {
    const { store, clock, log } = this.deps;
    const anchor = await this.anchorWithStore();
    const [wallMs, monotonicMs] = [clock.wallMs(), clock.monotonicMs()];
    const expectedMs = this.expectedMs(anchor);
    const opinion = this.cameras.opinionOn(wallMs, monotonicMs, this.toleranceMs);
    const hasListened = monotonicMs - this.startedMonotonicMs >= LISTEN_MS;
    const isContradicted = this.isContradicted(opinion, hasListened);
    const isContinuous = Math.abs(wallMs - expectedMs) <= this.toleranceMs;
    const isConfirmed = hasListened && 2 * opinion.agreeing > opinion.cameras;
    const isOutlasted = this.doubt !== null && monotonicMs - this.doubt.sinceMonotonicMs >= this.deps.periodMs;
    if (isOutlasted && isContradicted) this.isContradictionOverruled = true;

    if (!isOutlasted && (isContradicted || !(isContinuous || isConfirmed))) {
      this.camerasOffsetMs = isContradicted && opinion.medianMs !== null ? opinion.medianMs - monotonicMs : null;
      await this.enterDoubt(isContradicted ? opinion : null, wallMs, expectedMs);
      // What the monotonic clock adds is true in any case, and a restart must not forget it.
      if (!isContradicted) await store.times.raise(Math.floor(expectedMs));
      return { type: 'doubt', reason: this.doubt?.reason ?? '' };
    }
    if (!isContinuous) await this.acceptJump(anchor, wallMs, expectedMs);
    if (this.doubt !== null) log.info({ wasInDoubt: this.doubt.reason }, 'the clocks agree; deleting by age goes on');
    this.doubt = null;
    this.camerasOffsetMs = null;
    this.agreedFromMs ??= wallMs;
    if (!isContinuous || wallMs >= expectedMs) {
      this.anchor = { wallMs, monotonicMs, witness: 'the monotonic clock of this process' };
    }
    await store.times.raise(Math.floor(this.expectedMs(this.anchor ?? anchor)));
    const isMany = opinion.cameras >= CAMERAS_TO_CONTRADICT && hasListened && !this.isContradictionOverruled;
    return { type: 'agreed', nowMs: Math.min(wallMs, isMany ? (opinion.medianMs ?? wallMs) : wallMs) };
  }

  /** The trusted time, as far as the monotonic clock knows. */
  private expectedMs({ wallMs, monotonicMs }: Omit<Anchor, 'witness'>): number {
    return wallMs + this.deps.clock.monotonicMs() - monotonicMs;
  }

  /** Raises the anchor to the newest time stored: another worker may have stored a later one. */
  private async anchorWithStore(): Promise<Anchor> {
    const newestMs = (await this.deps.store.times.newest()) ?? -Infinity;
    const monotonicMs = this.deps.clock.monotonicMs();
    const isHigher = this.anchor === null || newestMs > this.expectedMs(this.anchor);
    const isOverruled = this.overruled !== null && newestMs <= this.expectedMs(this.overruled) + this.toleranceMs;
    if (isHigher && !isOverruled) {
      this.anchor = { wallMs: newestMs, monotonicMs, witness: 'the newest time stored' };
    }
    this.anchor ??= { wallMs: this.deps.clock.wallMs(), monotonicMs, witness: 'the newest time stored' };
    return this.anchor;
  }

  /** Returns whether most of the cameras, and at least three, say that the wall clock is wrong, all in one direction. */
  private isContradicted({ cameras, later, earlier }: CameraOpinion, hasListened: boolean): boolean {
    // A camera that drains its backlog speaks of old times first, and of the present within its health cadence.
    const against = Math.max(later, hasListened ? earlier : 0);
    const isContradicted = cameras >= CAMERAS_TO_CONTRADICT && 2 * against > cameras;
    if (!isContradicted) this.isContradictionOverruled = false;
    return isContradicted && !this.isContradictionOverruled;
  }

  /**
   * Goes on with a wall clock that jumped. What this process received before a jump forward is as old as its monotonic
   * clock says: a clock that was behind and is right again must not make it old.
   */
  private async acceptJump(anchor: Anchor, wallMs: number, expectedMs: number): Promise<void> {
    const jumpMs = Math.round(wallMs - expectedMs);
    const { times, records } = this.deps.store;
    if (jumpMs > 0 && this.agreedFromMs !== null) {
      await records.keepLonger(Math.floor(this.agreedFromMs), Math.ceil(expectedMs), jumpMs);
    }
    if (jumpMs < 0) {
      const newestMs = Math.max((await times.newest()) ?? -Infinity, this.expectedMs(anchor));
      this.overruled = { wallMs: newestMs, monotonicMs: this.deps.clock.monotonicMs() };
    }
    this.agreedFromMs = wallMs;
  }

  private async enterDoubt(against: CameraOpinion | null, wallMs: number, expectedMs: number): Promise<void> {
    const { clock, counters, log, store } = this.deps;
    const kind = against !== null ? 'cameras' : wallMs > expectedMs ? 'ahead' : 'behind';
    if (this.doubt?.kind === kind) return;
    const witness = this.anchor?.witness ?? 'the newest time stored';
    const reason =
      against === null
        ? `this clock says ${iso(wallMs)}, ${span(wallMs - expectedMs)} ${kind === 'ahead' ? 'ahead of' : 'behind'} ${witness} (${iso(expectedMs)})`
        : `this clock says ${iso(wallMs)}, ${String(Math.max(against.later, against.earlier))} of ${String(against.cameras)} cameras say about ${iso(against.medianMs ?? 0)}`;
    this.doubt = { kind, reason, sinceMonotonicMs: this.doubt?.sinceMonotonicMs ?? clock.monotonicMs() };
    counters.add('alarms');
    counters.add('alarms.clock');
    log.error({ alarm: 'clock', verdict: CLOCK_DOUBT }, `clocks disagree: ${reason}; ${REMEDY}`);
    const nobody = { device: null, epoch: null, reader: null, quarantineId: null };
    try {
      await store.alarms.put({ atMs: this.receiveTimeMs(), place: 'clock', verdict: CLOCK_DOUBT, reason, ...nobody });
    } catch (error) {
      logFailure(log, error, 'the alarm on the clock could not be stored');
    }
  }
}

const CLOCK_DOUBT = 'clock-doubt';
const [DAY_MS, HOUR_MS] = [86_400_000, 3_600_000];

function iso(ms: number): string {
  return Math.abs(ms) > 8.64e15 ? 'an impossible time' : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function span(ms: number): string {
  const size = Math.abs(ms);
  return size >= 2 * DAY_MS ? `${String(Math.round(size / DAY_MS))} days` : `${(size / HOUR_MS).toFixed(1)} hours`;
}
