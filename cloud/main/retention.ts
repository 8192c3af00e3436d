import { sleep, type CancelTimer, type Clock } from '../../common/clock.js';
import type { Log } from '../../common/log.js';
import { logFailure } from '../alarms/fault-log.js';
import type { CloudStore } from '../store/store.js';
import type { DeletionClock } from '../trust/deletion-clock.js';
import type { Bodies } from './bodies.js';
import type { Erasing } from './erasing.js';

export interface RetentionDependencies {
  readonly store: Pick<CloudStore, 'records'>;
  readonly erasing: Pick<Erasing, 'expire' | 'eraseDue'>;
  readonly bodies: Bodies;
  readonly deletionClock: Pick<DeletionClock, 'check' | 'toleranceMs'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Resolves in a later turn of the event loop. */
  readonly nextTurn?: () => Promise<void>;
}

const INTERVAL_MS = 60_000;
/** Records of one transaction, and bodies of one step, so that none of them is long. */
const RECORDS_MAX = 250;

/**
 * Deletes what is older than the retention time, and what owners deleted and did not undo in time, once per interval,
 * while the clocks agree. Everything that goes by its time belongs here: no other part asks a clock what is old enough.
 */
export class Retention {
  private readonly deps: RetentionDependencies;
  private cancel: CancelTimer = () => undefined;
  private isStopped = false;

  constructor(deps: RetentionDependencies) {
    this.deps = deps;
  }

  start(): void {
    const { log, clock } = this.deps;
    void this.run()
      .catch((error: unknown) => {
        logFailure(log, error, 'old records could not be deleted');
      })
      .then(() => {
        if (this.isStopped) return;
        this.cancel = clock.after(INTERVAL_MS, () => {
          this.start();
        });
      });
  }

  stop(): void {
    this.isStopped = true;
    this.cancel();
  }

  /**
   * Deletes everything that is due now, and returns the number of records that went by their age.
   *
   * @throws SealcamError `store-unavailable`
   */
  async run(): Promise<number> {
    const { store, erasing, bodies, deletionClock, log } = this.deps;
    const time = await deletionClock.check();
    if (time.type === 'doubt') return 0;
    const { nowMs } = time;
    const laterThanMs = Math.floor(nowMs + deletionClock.toleranceMs);
    const corrected = await this.repeat(() => store.records.correctTimes(laterThanMs, nowMs, RECORDS_MAX));
    if (corrected > 0) log.warn({ records: corrected }, 'corrected receive times of a clock that was ahead');
    const deleted = await this.expireAll(Math.floor(nowMs), laterThanMs);
    if (deleted > 0) log.info({ records: deleted }, 'deleted records older than the retention time');
    const erased = await this.repeat(() => erasing.eraseDue(Math.floor(nowMs), RECORDS_MAX));
    if (erased > 0) log.info({ records: erased }, 'erased records that their owners deleted');
    const clips = await this.repeat(() => bodies.expire(Math.floor(nowMs), laterThanMs, RECORDS_MAX));
    if (clips > 0) log.info({ records: clips }, 'deleted segments of clips older than their retention time');
    // Last: a media store that is away holds up nothing else.
    const removed = await this.repeat(() => bodies.removeDiscarded(Math.floor(nowMs), RECORDS_MAX));
    if (removed > 0) log.info({ bodies: removed }, 'removed bodies that nothing needs any longer');
    return deleted;
  }

  /** Goes through all records that have expired until a whole pass finds nothing more to delete; returns the sum. */
  private async expireAll(nowMs: number, laterThanMs: number): Promise<number> {
    let total = 0;
    let inThisPass = 0;
    while (!this.isStopped) {
      const { deleted, isMore } = await this.paced(() => this.deps.erasing.expire(nowMs, laterThanMs, RECORDS_MAX));
      total += deleted;
      inThisPass += deleted;
      if (isMore) continue;
      if (inThisPass === 0) break;
      inThisPass = 0;
    }
    return total;
  }

  /** Repeats a bounded step until it finds no more to do; returns the sum. */
  private async repeat(step: () => Promise<number>): Promise<number> {
    let total = 0;
    for (;;) {
      const count = await this.paced(step);
      total += count;
      if (count < RECORDS_MAX || this.isStopped) return total;
    }
  }

  /** Runs a step, then leaves process and store to ingest and readers for as long as it took. */
  private async paced<T>(step: () => Promise<T>): Promise<T> {
    const { clock, nextTurn } = this.deps;
    const startedMs = clock.monotonicMs();
    const result = await step();
    const tookMs = clock.monotonicMs() - startedMs;
    await nextTurn?.();
    if (tookMs > 0 && !this.isStopped) await sleep(clock, tookMs);
    return result;
  }
}
