import type { CancelTimer, Clock } from '../../common/clock.js';

export const SAMPLE_EVERY_MS = 10_000;
const SAMPLES_MAX = 360;

/** The last hour of one figure, a sample every ten seconds; null where it was not to be had. Memory of this process only. */
export class Trend {
  readonly samples: (number | null)[] = [];
  private readonly clock: Clock;
  private readonly readCount: () => Promise<number | null>;
  private cancel: CancelTimer = () => undefined;

  constructor(clock: Clock, ask: () => Promise<number | null>) {
    this.clock = clock;
    this.readCount = ask;
  }

  start(): void {
    void this.readCount().then((value) => {
      this.samples.push(value);
      if (this.samples.length > SAMPLES_MAX) this.samples.shift();
    });
    this.cancel = this.clock.after(SAMPLE_EVERY_MS, () => {
      this.start();
    });
  }

  stop(): void {
    this.cancel();
  }
}

/** Points of a line in a box; what was not to be had leaves it out. The newest is at the right edge. */
export function sparkline(samples: readonly (number | null)[], width: number, height: number): string {
  const most = Math.max(1, ...samples.map((value) => value ?? 0));
  return samples
    .flatMap((value, i) => {
      if (value === null) return [];
      const x = width - ((samples.length - 1 - i) * width) / (SAMPLES_MAX - 1);
      const y = height - 2 - (value / most) * (height - 4);
      return [`${x.toFixed(1)},${y.toFixed(1)}`];
    })
    .join(' ');
}
