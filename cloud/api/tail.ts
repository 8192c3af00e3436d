import { asSealcamError } from '../../common/errors.js';
import type { CancelTimer, Clock } from '../../common/clock.js';
import type { Log } from '../../common/log.js';
import { FaultLog } from '../alarms/fault-log.js';
import { rulesOf } from '../../protocol/objects/record-kinds.js';
import type { CloudStore } from '../store/store.js';
import type { Feed } from './feed.js';

/** How late an open stream may learn of a record that another process stored. */
const POLL_INTERVAL_MS = 500;
const PAGE_RECORDS = 1000;

/**
 * Feeds open streams from the store where several processes write into it. Streams follow the store's order of arrival:
 * they miss nothing that another worker stored, and show nothing of this worker before an older record.
 */
export class Tail {
  private readonly store: CloudStore;
  private readonly feed: Feed;
  private readonly clock: Clock;
  private readonly faults: FaultLog;
  private cancel: CancelTimer = () => undefined;
  private last = 0;
  private isOver = false;

  constructor(store: CloudStore, feed: Feed, clock: Clock, log: Log) {
    this.store = store;
    this.feed = feed;
    this.clock = clock;
    this.faults = new FaultLog(clock, log);
  }

  /**
   * Starts polling. Call it before the first stream can open.
   *
   * @throws SealcamError `store-unavailable`
   */
  async start(): Promise<void> {
    this.last = await this.store.records.lastId();
    this.schedulePoll(POLL_INTERVAL_MS);
  }

  stop(): void {
    this.isOver = true;
    this.cancel();
  }

  private async poll(): Promise<void> {
    try {
      const isMore = await this.publishBatch();
      if (!this.isOver) this.schedulePoll(isMore ? 0 : POLL_INTERVAL_MS);
    } catch (error) {
      this.faults.error(asSealcamError(error).code, {}, 'the store does not answer; open streams wait');
      if (!this.isOver) this.schedulePoll(POLL_INTERVAL_MS);
    }
  }

  private schedulePoll(delayMs: number): void {
    this.cancel = this.clock.after(delayMs, () => {
      void this.poll();
    });
  }

  private hasListeners(): boolean {
    return this.feed.count > 0;
  }

  /** Publishes the next arrivals; returns whether there may be more. */
  private async publishBatch(): Promise<boolean> {
    if (!this.hasListeners()) {
      const last = await this.store.records.lastId();
      // A stream that opened during the call started before this id.
      if (!this.hasListeners()) this.last = last;
      return false;
    }
    const arrived = await this.store.records.arrivals(this.last, PAGE_RECORDS);
    for (const { id, device, epoch, seq, kind } of arrived) {
      this.last = id;
      this.feed.publish({ type: 'record', device, epoch, seq });
      if (rulesOf(kind).isCameraNews) this.feed.publish({ type: 'camera', device });
    }
    return arrived.length === PAGE_RECORDS;
  }
}
