/** Passes a log on and keeps its last `limit` lines, for the console and diagnostics. */
export class LogRing {
  private readonly next: { write(text: string): unknown };
  private readonly limit: number;
  private readonly kept: string[] = [];
  private readonly listeners = new Set<(line: string) => void>();

  constructor(next: { write(text: string): unknown }, limit: number) {
    this.next = next;
    this.limit = limit;
  }

  /** Takes any number of whole lines. */
  write(text: string): void {
    this.next.write(text);
    for (const line of text.split('\n')) {
      if (line === '') continue;
      this.kept.push(line);
      if (this.kept.length > this.limit) this.kept.shift();
      for (const listener of [...this.listeners]) listener(line);
    }
  }

  /** Returns up to `count` of the newest lines, oldest first. */
  last(count: number): readonly string[] {
    return this.kept.slice(-count);
  }

  /** Calls `listener` with every new line. Returns the function that ends the subscription. */
  subscribe(listener: (line: string) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }
}
