/** Upper bounds in seconds, from a fast database call to a camera that was offline for a day. */
const BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 86_400] as const;

/** Counts durations per bucket, in constant memory: enough for rates and rough quantiles. */
export class Histogram {
  private readonly counts = new Array<number>(BOUNDS_S.length + 1).fill(0);
  private total = 0;

  /** Adds one duration. */
  observe(seconds: number): void {
    const found = BOUNDS_S.findIndex((bound) => seconds <= bound);
    const i = found < 0 ? BOUNDS_S.length : found;
    this.counts[i] = (this.counts[i] ?? 0) + 1;
    this.total += seconds;
  }

  get count(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  get sumS(): number {
    return this.total;
  }

  /** Returns the number of observations up to each bound; the last bound is infinite. */
  cumulative(): readonly { readonly boundS: number; readonly count: number }[] {
    let count = 0;
    return this.counts.map((here, i) => ({ boundS: BOUNDS_S[i] ?? Infinity, count: (count += here) }));
  }

  /** Returns the bound that this share (0 to 1) of the observations did not exceed; null without observations. */
  quantileBoundS(share: number): number | null {
    const all = this.count;
    return all === 0 ? null : (this.cumulative().find(({ count }) => count >= share * all)?.boundS ?? Infinity);
  }
}
