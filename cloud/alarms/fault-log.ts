import type { Clock } from '../../common/clock.js';
import { asSealcamError } from '../../common/errors.js';
import type { Log, LogFields } from '../../common/log.js';

const REPEAT_INTERVAL_MS = 60_000;
const FAULTS_MAX = 1000;

interface LoggedFault {
  readonly atMs: number;
  /** Times that the fault came since then. */
  repeats: number;
}

/**
 * Logs our own faults, which every message or request may meet while, for example, the store is away: at most one line a
 * minute for each code, or each `key` where one code has several causes, with the number of faults since the last line.
 */
export class FaultLog {
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly logged = new Map<string, LoggedFault>();

  constructor(clock: Clock, log: Log) {
    this.clock = clock;
    this.log = log;
  }

  error(code: string, fields: LogFields, message: string, key = code): void {
    const nowMs = this.clock.monotonicMs();
    const last = this.logged.get(key);
    if (last !== undefined && nowMs - last.atMs < REPEAT_INTERVAL_MS) {
      last.repeats++;
      return;
    }
    if (last === undefined && this.logged.size >= FAULTS_MAX) this.logged.clear();
    this.logged.set(key, { atMs: nowMs, repeats: 0 });
    this.log.error({ code, ...fields, ...(last === undefined ? {} : { sinceLast: last.repeats }) }, message);
  }
}

/** Logs an error by its code, where the caller goes on without what failed. */
export function logFailure(log: Log, error: unknown, message: string): void {
  log.error({ code: asSealcamError(error).code }, message);
}
