import type { CancelTimer, Clock } from '../../common/clock.js';

const SAMPLE_INTERVAL_MS = 10_000;
const SAMPLES_MAX = 360;

/** The last hour of one figure, in memory: a sample every ten seconds, null where it could not be read. */
export class Trend {
  readonly samples: (number | null)[] = [];
  private readonly clock: Clock;
  private readonly readCount: () => Promise<number | null>;
  private cancel: CancelTimer = () => undefined;

  constructor(clock: Clock, readCount: () => Promise<number | null>) {
    this.clock = clock;
    this.readCount = readCount;
  }

  /** Takes a sample now and once per interval, until `stop`. */
  start(): void {
    void this.readCount().then((value) => {
      this.samples.push(value);
      if (this.samples.length > SAMPLES_MAX) this.samples.shift();
    });
    this.cancel = this.clock.after(SAMPLE_INTERVAL_MS, () => {
      this.start();
    });
  }

  stop(): void {
    this.cancel();
  }
}

/** Returns the points of an SVG polyline, the newest sample at the right edge; missing samples are left out. */
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
