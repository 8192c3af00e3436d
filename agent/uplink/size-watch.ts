import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { ERROR_CODES } from '../../common/error-codes.js';
import type { Log } from '../../common/log.js';
import { topicOf } from '../../protocol/transport/topics.js';
import type { CloseCause } from './machine.js';
import { Oversize, type HeldRecord } from './oversize.js';
import { PacketLimit, type SizeEvidence } from './packet-limit.js';
import type { SizeLimits } from './sender.js';

export interface SizeWatchDependencies {
  readonly device: Uint8Array;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly settings: { readonly oversizeHoldMs: number };
  readonly log: Log;
}

const CODE = 'broker-limit';
const { hint } = ERROR_CODES[CODE];

/** What the uplink knows of the broker's limit on the size of a message, and what it reports about it. */
export class SizeWatch implements SizeLimits {
  readonly limit: PacketLimit;
  readonly oversize: Oversize;
  private readonly deps: SizeWatchDependencies;
  private reportedBytes: number | null = null;

  constructor(deps: SizeWatchDependencies) {
    this.deps = deps;
    this.limit = new PacketLimit(topicOf(deps.device, 'up'), (evidence) => {
      this.reportLearned(evidence);
    });
    this.oversize = new Oversize(deps.settings.oversizeHoldMs, (record) => {
      this.reportHeld(record);
    });
  }

  /** A connection ended: by itself, or with the reason that a packet was too large. */
  noteEnd(largestInFlight: number, cause: CloseCause, isTooLarge: boolean): void {
    if (largestInFlight === 0 || (cause !== 'lost' && !isTooLarge)) return;
    this.limit.noteRefused(largestInFlight, isTooLarge ? 'named' : 'closed', this.deps.clock.monotonicMs());
  }

  private reportLearned(evidence: SizeEvidence): void {
    const maxBytes = this.limit.maxBytes(this.deps.clock.monotonicMs());
    this.deps.log.warn({ code: CODE, evidence, maxBytes, hint }, 'the broker does not take larger messages');
  }

  reportGivenUp({ epoch, seq, wholeBytes }: HeldRecord, what: 'media' | 'record'): void {
    this.deps.counters.add('uplink.oversize-given-up');
    const fields = { code: CODE, epoch, seq, bytes: wholeBytes, hint };
    const lost = what === 'media' ? 'the picture of a record' : 'a record';
    this.deps.log.warn(fields, `${lost} never fitted the broker's limit and is given up; a signed loss names it`);
  }

  /** Counts each record, and logs the first at each limit. */
  private reportHeld({ epoch, seq, wholeBytes }: HeldRecord): void {
    const { counters, clock, log } = this.deps;
    counters.add('uplink.oversize');
    const maxBytes = this.limit.maxBytes(clock.monotonicMs());
    if (maxBytes === this.reportedBytes) return;
    this.reportedBytes = maxBytes;
    const fields = { code: CODE, epoch, seq, bytes: wholeBytes, maxBytes, hint };
    log.warn(fields, 'a message is larger than the broker takes: the record leaves without its picture, which is kept');
  }
}
