import type { Unsubscribe } from './peripherals.js';

/** A list of listeners; one that unsubscribes while being called is no trouble. */
export class Listeners<A extends readonly unknown[]> {
  private readonly all = new Set<(...args: A) => void>();

  get size(): number {
    return this.all.size;
  }

  add(listener: (...args: A) => void): Unsubscribe {
    this.all.add(listener);
    return () => {
      this.all.delete(listener);
    };
  }

  call(...args: A): void {
    for (const listener of [...this.all]) listener(...args);
  }
}
