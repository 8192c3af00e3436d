import { Histogram } from './histogram.js';

/** Named counters and histograms. Count each thing once, where it happens. */
export class Counters {
  private readonly counts = new Map<string, number>();
  private readonly histograms = new Map<string, Histogram>();

  add(name: string, by = 1): void {
    this.counts.set(name, this.get(name) + by);
  }

  get(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  /** Adds one duration to a histogram. */
  observe(name: string, seconds: number): void {
    this.histogram(name).observe(seconds);
  }

  histogram(name: string): Histogram {
    let found = this.histograms.get(name);
    if (found === undefined) this.histograms.set(name, (found = new Histogram()));
    return found;
  }

  /** Returns all counters, sorted by name. */
  snapshot(): Record<string, number> {
    return Object.fromEntries([...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
