/** Keeps the last lines of a log, for the console and for diagnostics, and passes everything on. */
export class LogRing {
  private readonly next: { write(text: string): unknown };
  private readonly limit: number;
  private readonly kept: string[] = [];
  private readonly listeners = new Set<(line: string) => void>();

  constructor(next: { write(text: string): unknown }, limit: number) {
    this.next = next;
    this.limit = limit;
  }

  write(text: string): void {
    this.next.write(text);
    for (const line of text.split('\n')) {
      if (line === '') continue;
      this.kept.push(line);
      if (this.kept.length > this.limit) this.kept.shift();
      for (const listener of [...this.listeners]) listener(line);
    }
  }

  /** The newest lines, oldest of them first. */
  last(count: number): readonly string[] {
    return this.kept.slice(-count);
  }

  subscribe(listener: (line: string) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }
}
