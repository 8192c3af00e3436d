import type { AppStorage } from './storage.js';

const SETTING = 'reviewed';
/** Marks kept: those set last. Each is about a hundred bytes. */
export const REVIEWED_MARKS_MAX = 10_000;

/** Which events somebody has looked at. */
export interface Reviewed {
  /** @param eventKey device/epoch/event id, as {@link TimelineEvent.key} */
  isReviewed(eventKey: string): boolean;
  markReviewed(eventKeys: readonly string[], isReviewed: boolean): Promise<void>;
  /** Calls `listener` after every change. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void;
}

/** Marks that this browser keeps for itself. */
export class ReviewedMarks implements Reviewed {
  private readonly storage: AppStorage;
  private readonly listeners = new Set<() => void>();
  /** In the order in which they were set. */
  private readonly keys = new Set<string>();

  constructor(storage: AppStorage) {
    this.storage = storage;
  }

  /** Loads what this device keeps. Call it once, before anything else. */
  async load(): Promise<void> {
    const saved = (await this.storage.setting(SETTING)) ?? '';
    for (const key of saved.split(' ')) if (key !== '') this.keys.add(key);
  }

  isReviewed(eventKey: string): boolean {
    return this.keys.has(eventKey);
  }

  async markReviewed(eventKeys: readonly string[], isReviewed: boolean): Promise<void> {
    for (const key of eventKeys) {
      this.keys.delete(key);
      if (isReviewed) this.keys.add(key);
    }
    for (const key of this.keys) {
      if (this.keys.size <= REVIEWED_MARKS_MAX) break;
      this.keys.delete(key);
    }
    for (const listener of [...this.listeners]) listener();
    await this.storage.saveSetting(SETTING, [...this.keys].join(' '));
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }
}
