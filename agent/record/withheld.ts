import { equal } from '../../common/bytes.js';
import type { Counters } from '../../common/counters.js';
import type { Log } from '../../common/log.js';
import type { Claim } from '../../protocol/objects/claim.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import type { Outbox } from '../outbox/outbox.js';
import { EventLimit } from './event-limit.js';

export interface EventGateDependencies {
  readonly outbox: Outbox;
  readonly counters: Counters;
  readonly log: Log;
}

/** While events are withheld it is said at once, and then no more often than this. */
const SAY_EVERY_MS = 15 * 60_000;

/** Lets in so many events an hour; the others are withheld whole, and their number is said in signed records. */
export class EventGate {
  private readonly deps: EventGateDependencies;
  private perHour: number;
  private limit: EventLimit;
  private account: Uint8Array | null = null;
  private isWithholding = false;
  /** Withheld and not said yet; since when. */
  private count = 0;
  private sinceMs = 0;
  private saidMs = -Infinity;

  constructor(perHour: number, deps: EventGateDependencies) {
    this.perHour = perHour;
    this.limit = new EventLimit(perHour);
    this.deps = deps;
  }

  configure(perHour: number): void {
    if (perHour !== this.perHour) this.limit = new EventLimit(perHour);
    this.perHour = perHour;
  }

  /** Whether a start, or what follows it, is let in. What was let in keeps its updates and its end. */
  admits(type: 'start' | 'update' | 'end', claim: Claim | null, nowMs: number): boolean {
    if (type !== 'start') return !this.isWithholding;
    if (claim !== null) this.startEpoch(claim);
    // Without an owner nothing is recorded, and nothing withheld.
    this.isWithholding = claim !== null && !this.limit.admits(nowMs);
    if (!this.isWithholding) return true;
    if (this.count === 0) this.sinceMs = nowMs;
    this.count++;
    this.deps.counters.add('events.withheld');
    return false;
  }

  /**
   * Says what was withheld, when it is time to, or at once where the camera stops; true if there is a new record.
   * Its loss is among those that are said again if the record is dropped before its receipt.
   */
  recordWithheld(time: RecordTime, isLast: boolean): boolean {
    const { outbox, log } = this.deps;
    const claim = outbox.currentClaim();
    if (claim !== null) this.startEpoch(claim.value);
    if (claim === null || this.count === 0) return false;
    const nowMs = time.monotonicMs;
    if (!isLast && nowMs - this.saidMs < SAY_EVERY_MS) return false;
    const durationMs = Math.max(0, Math.round(nowMs - this.sinceMs));
    const { count } = this;
    const isSaid = outbox.transaction(() => {
      const epoch = outbox.queries.openEpoch.get();
      if (epoch === undefined || epoch.stopped === 1) return false;
      outbox.losses.addCount(epoch.epoch, 'rate-limit', count);
      const loss = outbox.losses.claimForRecord(epoch.epoch, epoch.head_seq + 1);
      outbox.append({ kind: 'scene', time, scene: { class: 'rate-limit', durationMs }, loss });
      return true;
    });
    if (!isSaid) return false;
    log.warn({ count, durationMs }, 'more events than motion.maxPerHour: some were withheld');
    this.count = 0;
    this.saidMs = nowMs;
    return true;
  }

  /** Another owner has nothing to do with what was withheld before, and begins with a full allowance. */
  private startEpoch({ account }: Claim): void {
    if (this.account !== null && equal(account, this.account)) return;
    if (this.account !== null) this.limit = new EventLimit(this.perHour);
    this.account = account;
    this.count = 0;
    this.saidMs = -Infinity;
  }
}
