/**
 * Runs work in order for each key, and keys side by side. The work that waits or runs is bounded: above the bound it is
 * refused, and the sender tries again.
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

  /** Runs `work` after all earlier work of this key; returns false if there is no room. */
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

  /** Resolves once all work of this moment is done. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.tails.values()]);
  }
}
