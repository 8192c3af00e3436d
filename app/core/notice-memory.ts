import { toHex } from '../../common/bytes.js';
import * as v from '../../common/schema.js';
import { jsonSetting } from './json-setting.js';
import type { HistoryStorage } from './storage.js';

const SETTING = 'notices';
/** More than a camera records in the time by which a notice may be late; see `BEHIND_MAX_MS` in notices.ts. */
const SHOWN_MAX = 400;
/** Hex digits of a record's hash that are kept: 128 bits. */
const HASH_DIGITS = 32;

const keptSchema = v.object({
  shown: v.pipe(v.array(v.string()), v.maxLength(SHOWN_MAX)),
  askedAtMs: v.nullable(v.int()),
});

/** What the service worker remembers between two pushes: it is stopped in between. */
export class NoticeMemory {
  private readonly storage: HistoryStorage;
  private shown: readonly string[] = [];
  private askedAtMs: number | null = null;

  constructor(storage: HistoryStorage) {
    this.storage = storage;
  }

  /** Loads what is kept. Call it once, before anything else. */
  async load(): Promise<void> {
    const kept = await jsonSetting(this.storage, SETTING, keptSchema);
    if (kept !== null) ({ shown: this.shown, askedAtMs: this.askedAtMs } = kept);
  }

  /** Returns whether a notification was made of the record with this hash. */
  hasShown(hash: Uint8Array): boolean {
    return this.shown.includes(digits(hash));
  }

  async addShown(hash: Uint8Array): Promise<void> {
    this.shown = [...this.shown, digits(hash)].slice(-SHOWN_MAX);
    await this.save();
  }

  /**
   * Returns whether the cloud may be asked for claims now, and notes that it is: those who can send pushes must not make a browser
   * ask without end. A clock that was set back forbids nothing.
   */
  async mayAsk(nowMs: number, intervalMs: number): Promise<boolean> {
    const { askedAtMs } = this;
    if (askedAtMs !== null && nowMs >= askedAtMs && nowMs - askedAtMs < intervalMs) return false;
    this.askedAtMs = Math.round(nowMs);
    await this.save();
    return true;
  }

  private save(): Promise<void> {
    const { shown, askedAtMs } = this;
    return this.storage.saveSetting(SETTING, JSON.stringify({ shown, askedAtMs }));
  }
}

function digits(hash: Uint8Array): string {
  return toHex(hash).slice(0, HASH_DIGITS);
}
