export interface QueueLimits<T> {
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly bytesOf: (item: T) => number;
  /** Whether an item is of use without those before it. */
  readonly isStart: (item: T) => boolean;
}

/** Items between a source that does not wait and a reader that may be late. The oldest are dropped, up to one that is a start. */
export class BoundedQueue<T> {
  dropped = 0;
  private readonly limits: QueueLimits<T>;
  private readonly items: T[] = [];
  private bytes = 0;
  private needsStart = true;
  private failure: Error | null = null;
  private isClosed = false;
  private wake: () => void = () => undefined;

  constructor(limits: QueueLimits<T>) {
    this.limits = limits;
  }

  /** Adds an item, and drops the oldest ones beyond the limits. */
  push(item: T): void {
    const { maxItems, maxBytes, bytesOf, isStart } = this.limits;
    if (this.isClosed || (this.needsStart && !isStart(item))) return;
    this.needsStart = false;
    this.items.push(item);
    this.bytes += bytesOf(item);
    while (this.items.length > maxItems || (this.bytes > maxBytes && this.items.length > 1)) {
      this.dropOldest();
      for (let [first] = this.items; first !== undefined && !isStart(first); [first] = this.items) this.dropOldest();
    }
    this.needsStart = this.items.length === 0;
    this.wake();
  }

  /** Ends the stream after the items in the queue, with an error if `failure` is set. Only the first call counts. */
  close(failure: Error | null): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.failure = failure;
    this.wake();
  }

  /** Returns the next item; undefined once the queue was closed without a failure. */
  async next(): Promise<T | undefined> {
    while (this.items.length === 0) {
      if (this.failure !== null) throw this.failure;
      if (this.isClosed) return undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.takeOldest();
  }

  private takeOldest(): T | undefined {
    const item = this.items.shift();
    if (item !== undefined) this.bytes -= this.limits.bytesOf(item);
    return item;
  }

  private dropOldest(): void {
    if (this.takeOldest() !== undefined) this.dropped++;
  }
}
