import { toHex } from '../../common/bytes.js';

/** News for open streams. It carries a key, no content: each stream reads the store, which decides what its reader may see. */
export type FeedItem =
  | { readonly type: 'record'; readonly device: Uint8Array; readonly epoch: number; readonly seq: number }
  | { readonly type: 'camera'; readonly device: Uint8Array };

export interface FeedListener {
  onItem(item: FeedItem): void;
  /** News were lost: the stream has to end, so that its reader resumes after what it has. */
  onLost(): void;
}

/** News whose readers are not looked up yet. Above this a store that is slow would fill the memory. */
const WAITING_MAX = 10_000;

/**
 * Passes news from ingest to the open streams of this process. Who may see a piece of news is looked up once, however
 * many listen: a listener whom it does not concern costs nothing.
 */
export class Feed {
  private readonly readersOf: (item: FeedItem) => Promise<readonly Uint8Array[]>;
  private readonly listeners = new Map<string, Set<FeedListener>>();
  private work: Promise<void> = Promise.resolve();
  private waiting = 0;

  /** `readersOf` returns the Ed25519 keys that the signed claim behind a piece of news names. */
  constructor(readersOf: (item: FeedItem) => Promise<readonly Uint8Array[]>) {
    this.readersOf = readersOf;
  }

  publish(item: FeedItem): void {
    // A stream that opens later reads the store from where it starts.
    if (this.listeners.size === 0) return;
    if (this.waiting >= WAITING_MAX) {
      this.lose();
      return;
    }
    this.waiting++;
    this.work = this.work.then(async () => {
      try {
        for (const key of await this.readersOf(item)) {
          for (const listener of [...(this.listeners.get(toHex(key)) ?? [])]) listener.onItem(item);
        }
      } catch {
        this.lose();
      } finally {
        this.waiting--;
      }
    });
  }

  /** Passes on what this key may see. Returns the function that ends the subscription. */
  subscribe(key: Uint8Array, listener: FeedListener): () => void {
    const name = toHex(key);
    const ofKey = this.listeners.get(name) ?? new Set<FeedListener>();
    this.listeners.set(name, ofKey.add(listener));
    return () => {
      ofKey.delete(listener);
      if (ofKey.size === 0 && this.listeners.get(name) === ofKey) this.listeners.delete(name);
    };
  }

  /** Open subscriptions. */
  get count(): number {
    let count = 0;
    for (const ofKey of this.listeners.values()) count += ofKey.size;
    return count;
  }

  private lose(): void {
    for (const ofKey of [...this.listeners.values()]) for (const listener of [...ofKey]) listener.onLost();
  }
}
