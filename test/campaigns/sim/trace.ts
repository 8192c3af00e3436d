import { createHash } from 'node:crypto';

/** Everything that happened, in order. Two runs of one seed must have the same hash. */
export class Trace {
  private readonly hash = createHash('sha256');
  private readonly now: () => number;
  private readonly print: ((line: string) => void) | null;
  lines = 0;

  constructor(now: () => number, print: ((line: string) => void) | null) {
    this.now = now;
    this.print = print;
  }

  add(who: string, what: string): void {
    const line = `${(this.now() / 1000).toFixed(3).padStart(10)} ${who.padEnd(9)} ${what}`;
    this.lines++;
    this.hash.update(`${line}\n`);
    this.print?.(line);
  }

  /** Ends the trace and returns its hash. */
  digest(): string {
    return this.hash.digest('hex').slice(0, 32);
  }
}
