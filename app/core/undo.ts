/** One thing that was done and can be taken back. */
export interface Undoable {
  /** One sentence: what was done. */
  readonly text: string;
  readonly undo: () => Promise<void>;
}

/** The last thing that this person did which can be taken back. It stays until the next one, or until it is dismissed. */
export class UndoList {
  private readonly listeners = new Set<() => void>();
  private last: Undoable | null = null;

  current(): Undoable | null {
    return this.last;
  }

  offer(undoable: Undoable): void {
    this.set(undoable);
  }

  dismiss(): void {
    this.set(null);
  }

  /** Takes back what was done last. */
  async undo(): Promise<void> {
    const { last } = this;
    this.set(null);
    await last?.undo();
  }

  /** Calls `listener` after every change. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  private set(undoable: Undoable | null): void {
    this.last = undoable;
    for (const listener of [...this.listeners]) listener();
  }
}
