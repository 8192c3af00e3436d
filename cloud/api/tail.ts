import { asSealcamError } from '../../common/errors.js';
import type { CancelTimer, Clock } from '../../common/clock.js';
import type { Log } from '../../common/log.js';
import { rulesOf } from '../../protocol/objects/record-kinds.js';
import type { CloudStore } from '../store/store.js';
import type { Feed } from './feed.js';

/** How late an open stream may hear of what another process stored. */
const LOOK_MS = 500;
const PAGE = 1000;

/**
 * Where several processes take records, open streams are fed from the store, in its order of arrival: what another worker
 * stored is not missed, and what this one stored is not shown before something older.
 */
export class Tail {
  private readonly store: CloudStore;
  private readonly feed: Feed;
  private readonly clock: Clock;
  private readonly log: Log;
  private cancel: CancelTimer = () => undefined;
  private last = 0;
  private isOver = false;

  constructor(store: CloudStore, feed: Feed, clock: Clock, log: Log) {
    this.store = store;
    this.feed = feed;
    this.clock = clock;
    this.log = log;
  }

  /** Before the first stream can open. @throws SealcamError `store-unavailable` */
  async start(): Promise<void> {
    this.last = await this.store.records.lastId();
    this.again(LOOK_MS);
  }

  stop(): void {
    this.isOver = true;
    this.cancel();
  }

  private async poll(): Promise<void> {
    try {
      const isMore = await this.publishBatch();
      if (!this.isOver) this.again(isMore ? 0 : LOOK_MS);
    } catch (error) {
      this.log.warn({ code: asSealcamError(error).code }, 'open streams wait for the store');
      if (!this.isOver) this.again(LOOK_MS);
    }
  }

  private again(delayMs: number): void {
    this.cancel = this.clock.after(delayMs, () => {
      void this.poll();
    });
  }

  private hasListeners(): boolean {
    return this.feed.count > 0;
  }

  private async publishBatch(): Promise<boolean> {
    if (!this.hasListeners()) {
      const last = await this.store.records.lastId();
      // A stream that opened meanwhile has begun before this.
      if (!this.hasListeners()) this.last = last;
      return false;
    }
    const arrived = await this.store.records.arrivals(this.last, PAGE);
    for (const { id, device, epoch, seq, kind } of arrived) {
      this.last = id;
      this.feed.publish({ type: 'record', device, epoch, seq });
      if (rulesOf(kind).isCameraNews) this.feed.publish({ type: 'camera', device });
    }
    return arrived.length === PAGE;
  }
}
