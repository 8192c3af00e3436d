import { equal } from '../../common/bytes.js';
import type { Counters } from '../../common/counters.js';
import type { Log } from '../../common/log.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import type { Outbox } from '../outbox/outbox.js';
import { EventLimit } from './event-limit.js';

export interface EventGateDependencies {
  readonly outbox: Outbox;
  readonly counters: Counters;
  readonly log: Log;
}

/** Withheld events are recorded as soon as there are any, and then no more often than this. */
const REPORT_INTERVAL_MS = 15 * 60_000;

/** Limits the events per hour. An event beyond the limit is withheld whole, and signed records name how many were. */
export class EventGate {
  private readonly deps: EventGateDependencies;
  private perHour: number;
  private limit: EventLimit;
  private account: Uint8Array | null = null;
  private isWithholding = false;
  /** Withheld since the last record that names them. */
  private count = 0;
  private sinceMs = 0;
  private reportedAtMs = -Infinity;

  constructor(perHour: number, deps: EventGateDependencies) {
    this.perHour = perHour;
    this.limit = new EventLimit(perHour);
    this.deps = deps;
  }

  /** Changes the limit; the allowance starts full if it differs. */
  configure(perHour: number): void {
    if (perHour !== this.perHour) this.limit = new EventLimit(perHour);
    this.perHour = perHour;
  }

  /** Returns whether a start, or what follows it, is admitted. An admitted event keeps its updates and its end. */
  admits(type: 'start' | 'update' | 'end', claim: AnyClaim | null, nowMs: number): boolean {
    if (type !== 'start') return !this.isWithholding;
    if (claim !== null) this.startEpoch(claim);
    // Without an owner nothing is recorded, so nothing is withheld.
    this.isWithholding = claim !== null && !this.limit.admits(nowMs);
    if (!this.isWithholding) return true;
    if (this.count === 0) this.sinceMs = nowMs;
    this.count++;
    this.deps.counters.add('events.withheld');
    return false;
  }

  /**
   * Records how many events were withheld, if a record is due, or now if the camera stops. Returns whether it did.
   * The loss is pending again if the record is dropped before its receipt.
   */
  recordWithheld(time: RecordTime, isLast: boolean): boolean {
    const { outbox, log } = this.deps;
    const claim = outbox.currentClaim();
    if (claim !== null) this.startEpoch(claim.value);
    if (claim === null || this.count === 0) return false;
    const nowMs = time.monotonicMs;
    if (!isLast && nowMs - this.reportedAtMs < REPORT_INTERVAL_MS) return false;
    const durationMs = Math.max(0, Math.round(nowMs - this.sinceMs));
    const { count } = this;
    const scene = { class: 'rate-limit', durationMs } as const;
    if (outbox.appendWithLoss({ kind: 'scene', time, scene }, 'rate-limit', count) === null) return false;
    log.warn({ count, durationMs }, 'more events than motion.maxPerHour: some were withheld');
    this.count = 0;
    this.reportedAtMs = nowMs;
    return true;
  }

  /** A new account has no part in what was withheld before it, and starts with a full allowance. */
  private startEpoch({ account }: AnyClaim): void {
    if (this.account !== null && equal(account, this.account)) return;
    if (this.account !== null) this.limit = new EventLimit(this.perHour);
    this.account = account;
    this.count = 0;
    this.reportedAtMs = -Infinity;
  }
}
