import type { AppStorage } from './storage.js';

const SETTING = 'reviewed';
const WAITING_SETTING = 'reviewed-waiting';
/** Marks kept: those set last. Each is about a hundred bytes. */
export const REVIEWED_MARKS_MAX = 10_000;

/** What the household says of the same events, once it is loaded. */
export interface HouseholdMarks {
  /** Returns null where nobody in the household said anything, or before the time for which marks are kept. */
  reviewedMark(eventKey: string): boolean | null;
  markReviewed(eventKeys: readonly string[], isReviewed: boolean): Promise<void>;
  subscribe(listener: () => void): () => void;
}

/** Which events somebody has looked at: marks of this browser, which knows them at once, and of its household, whose word counts once it is there. */
export class ReviewedMarks {
  private readonly storage: AppStorage;
  private readonly listeners = new Set<() => void>();
  /** In the order in which they were set. */
  private readonly keys = new Set<string>();
  /** What the household has not been told yet. */
  readonly waiting = new Map<string, boolean>();
  private household: HouseholdMarks | null = null;

  constructor(storage: AppStorage) {
    this.storage = storage;
  }

  /** Loads what this device keeps. Call it once, before anything else. */
  async load(): Promise<void> {
    for (const key of words(await this.storage.setting(SETTING))) this.keys.add(key);
    for (const word of words(await this.storage.setting(WAITING_SETTING))) {
      this.waiting.set(word.slice(1), word.startsWith('+'));
    }
  }

  /** Asks the household too from now on, and tells it of each further mark; see `shareMarks`. */
  join(household: HouseholdMarks): void {
    this.household = household;
    household.subscribe(this.notify);
  }

  /** Forgets what the household knows by now. */
  async told(marks: ReadonlyMap<string, boolean>): Promise<void> {
    for (const [key, isReviewed] of marks) if (this.waiting.get(key) === isReviewed) this.waiting.delete(key);
    await this.saveWaiting();
    this.notify();
  }

  /** @param eventKey device/epoch/event id, as {@link TimelineEvent.key} */
  isReviewed(eventKey: string): boolean {
    return this.waiting.get(eventKey) ?? this.household?.reviewedMark(eventKey) ?? this.keys.has(eventKey);
  }

  async markReviewed(eventKeys: readonly string[], isReviewed: boolean): Promise<void> {
    for (const key of eventKeys) {
      this.keys.delete(key);
      if (isReviewed) this.keys.add(key);
      this.waiting.delete(key);
      if (this.household === null) this.waiting.set(key, isReviewed);
    }
    dropOldest(this.keys);
    dropOldest(this.waiting);
    this.notify();
    await this.storage.saveSetting(SETTING, [...this.keys].join(' '));
    if (this.household === null) await this.saveWaiting();
    else await this.household.markReviewed(eventKeys, isReviewed);
  }

  /** Calls `listener` after every change. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  private async saveWaiting(): Promise<void> {
    const text = [...this.waiting].map(([key, isReviewed]) => `${isReviewed ? '+' : '-'}${key}`).join(' ');
    await this.storage.saveSetting(WAITING_SETTING, text);
  }

  private readonly notify = (): void => {
    for (const listener of [...this.listeners]) listener();
  };
}

function words(saved: string | null): string[] {
  return (saved ?? '').split(' ').filter((word) => word !== '');
}

function dropOldest(kept: Set<string> | Map<string, boolean>): void {
  for (const key of kept.keys()) {
    if (kept.size <= REVIEWED_MARKS_MAX) return;
    kept.delete(key);
  }
}
