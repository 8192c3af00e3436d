/** Upper bounds in seconds, from a quick database call to a camera that was away for a day. */
const BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 86_400] as const;

/** How often a time was how long: enough for a rate and a rough quantile, whatever the number of observations. */
export class Histogram {
  private readonly counts = new Array<number>(BOUNDS_S.length + 1).fill(0);
  private total = 0;

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

  /** Number of observations up to each bound; the last bound is infinite. */
  cumulative(): readonly { readonly boundS: number; readonly count: number }[] {
    let count = 0;
    return this.counts.map((here, i) => ({ boundS: BOUNDS_S[i] ?? Infinity, count: (count += here) }));
  }

  /** The bound below which this share of the observations was; null without any. */
  quantileBoundS(share: number): number | null {
    const all = this.count;
    return all === 0 ? null : (this.cumulative().find(({ count }) => count >= share * all)?.boundS ?? Infinity);
  }
}
