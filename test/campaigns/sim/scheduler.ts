import type { CancelTimer } from '../../../common/clock.js';

interface Entry {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

/**
 * The only clock of a simulated world. Events run in order of time, then of scheduling. Between two events all promises
 * settle, so nothing depends on the speed of the machine.
 */
export class Scheduler {
  private heap: Entry[] = [];
  private order = 0;
  private now = 0;
  steps = 0;

  get nowMs(): number {
    return this.now;
  }

  after = (delayMs: number, run: () => void): CancelTimer => {
    const entry = { dueMs: this.now + Math.max(0, delayMs), order: this.order++, run, isCancelled: false };
    this.push(entry);
    return () => {
      entry.isCancelled = true;
    };
  };

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Runs until that time, or until `isOver` returns true after an event. */
  async runUntil(endMs: number, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const [next] = this.heap;
      if (next === undefined || next.dueMs > endMs) {
        this.now = Math.max(this.now, endMs);
        return;
      }
      this.pop();
      if (next.isCancelled) continue;
      this.now = Math.max(this.now, next.dueMs);
      this.steps++;
      next.run();
      await settled();
    }
  }

  private push(entry: Entry): void {
    const { heap } = this;
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, entry)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = entry;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      const a = heap[left];
      const b = heap[left + 1];
      if (a === undefined) break;
      const child = b !== undefined && isBefore(b, a) ? left + 1 : left;
      const below = heap[child];
      if (below === undefined || isBefore(last, below)) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

/** Resolves after every promise that is ready: an immediate runs after them, and no real timer or socket is awaited here. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
