import type { Unsubscribe } from './peripherals.js';

/** A set of listeners; a listener may unsubscribe while it is called. */
export class Listeners<A extends readonly unknown[]> {
  private readonly all = new Set<(...args: A) => void>();

  get size(): number {
    return this.all.size;
  }

  /** Adds a listener, and returns the function that removes it. */
  add(listener: (...args: A) => void): Unsubscribe {
    this.all.add(listener);
    return () => {
      this.all.delete(listener);
    };
  }

  /** Calls every listener. */
  call(...args: A): void {
    for (const listener of [...this.all]) listener(...args);
  }
}
