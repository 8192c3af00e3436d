import type { Clock } from '../../common/clock.js';
import type { AppStorage } from './storage.js';

const SETTING = 'last-visit';
/** A page that was out of sight for as long begins a new visit. */
const VISIT_GAP_MS = 10 * 60_000;

/** When this browser showed the events last, so that the page can say what is new since then. */
export class LastVisit {
  private readonly storage: AppStorage;
  private readonly clock: Clock;
  private readonly listeners = new Set<() => void>();
  private endedMs: number | null = null;
  private shownMs: number | null = null;
  private hiddenMs: number | null = null;

  constructor(storage: AppStorage, clock: Clock) {
    this.storage = storage;
    this.clock = clock;
  }

  /** Loads the end of the visit before this one. Call it once, before anything else. */
  async load(): Promise<void> {
    const text = (await this.storage.setting(SETTING)) ?? '';
    const ms = Number(text);
    // A clock that was set back since then would call everything old.
    this.endedMs = text !== '' && Number.isSafeInteger(ms) && ms <= this.clock.wallMs() ? ms : null;
  }

  /** Returns the end of the visit before this one, UTC; null on the first. */
  sinceMs(): number | null {
    return this.endedMs;
  }

  /** Everything that came until now is being shown. */
  async noteShown(): Promise<void> {
    this.shownMs = this.clock.wallMs();
    await this.storage.saveSetting(SETTING, String(this.shownMs));
  }

  /** The page went out of sight. */
  leave(): void {
    this.hiddenMs = this.clock.wallMs();
  }

  /** The page came into sight again. After a while that is a new visit. */
  comeBack(): void {
    const { hiddenMs } = this;
    this.hiddenMs = null;
    if (hiddenMs === null || this.clock.wallMs() - hiddenMs < VISIT_GAP_MS) return;
    this.endedMs = this.shownMs ?? this.endedMs;
    for (const listener of [...this.listeners]) listener();
  }

  /** Calls `listener` when a new visit begins. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }
}
