import type { Clock } from '../../common/clock.js';
import type { Log, LogFields } from '../../common/log.js';

const EVERY_MS = 60_000;

interface Said {
  readonly atMs: number;
  /** Times since then. */
  more: number;
}

/** Faults of ours that every message or request meets, as while the store is away: one line a minute for each code, with how many. */
export class FaultLog {
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly said = new Map<string, Said>();

  constructor(clock: Clock, log: Log) {
    this.clock = clock;
    this.log = log;
  }

  error(code: string, fields: LogFields, message: string): void {
    const nowMs = this.clock.monotonicMs();
    const before = this.said.get(code);
    if (before !== undefined && nowMs - before.atMs < EVERY_MS) {
      before.more++;
      return;
    }
    this.said.set(code, { atMs: nowMs, more: 0 });
    this.log.error({ code, ...fields, ...(before === undefined ? {} : { sinceLast: before.more }) }, message);
  }
}
