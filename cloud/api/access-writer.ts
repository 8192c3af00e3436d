import type { AccessEntry, AccessStore } from '../store/store.js';

interface Waiting {
  readonly entry: AccessEntry;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const LINES_PER_WRITE_MAX = 500;

/**
 * Writes lines of the access log, those that come at the same time in one transaction: a list of many cameras waits for
 * the disk once. A line is durable when its promise resolves, and nothing is shown before that.
 */
export class AccessWriter {
  private readonly store: AccessStore;
  private readonly waiting: Waiting[] = [];
  private isWriting = false;

  constructor(store: AccessStore) {
    this.store = store;
  }

  /** @throws SealcamError `store-unavailable` */
  append(entry: AccessEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ entry, resolve, reject });
      if (!this.isWriting) void this.writeAll();
    });
  }

  private async writeAll(): Promise<void> {
    this.isWriting = true;
    while (this.waiting.length > 0) {
      // The other cameras of the same list reach this point in the same turn, and join.
      await Promise.resolve();
      const batch = this.waiting.splice(0, LINES_PER_WRITE_MAX);
      try {
        await this.store.append(batch.map(({ entry }) => entry));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.isWriting = false;
  }
}
