/**
 * Runs work in order per key and side by side over keys, a bounded number at once. What waits is bounded too:
 * over the bound work is refused, and its sender tries again.
 */
export class Lanes {
  private readonly tails = new Map<string, Promise<void>>();
  private readonly maxWaiting: number;
  private waitingCount = 0;

  constructor(maxWaiting: number) {
    this.maxWaiting = maxWaiting;
  }

  get waiting(): number {
    return this.waitingCount;
  }

  /** False if there is no room. */
  run(key: string, work: () => Promise<void>): boolean {
    if (this.waitingCount >= this.maxWaiting) return false;
    this.waitingCount++;
    const before = this.tails.get(key) ?? Promise.resolve();
    const tail = before.then(work).finally(() => {
      this.waitingCount--;
      if (this.tails.get(key) === tail) this.tails.delete(key);
    });
    this.tails.set(key, tail);
    return true;
  }

  async idle(): Promise<void> {
    await Promise.allSettled([...this.tails.values()]);
  }
}
