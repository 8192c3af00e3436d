/** News for open streams. It carries a key, no content: each stream reads the store, which decides what its reader may see. */
export type FeedItem =
  | { readonly type: 'record'; readonly device: Uint8Array; readonly epoch: number; readonly seq: number }
  | { readonly type: 'camera'; readonly device: Uint8Array };

/** Passes news from ingest to the open streams of this process. */
export class Feed {
  private readonly listeners = new Set<(item: FeedItem) => void>();

  publish(item: FeedItem): void {
    for (const listener of [...this.listeners]) listener(item);
  }

  /** Returns the function that ends the subscription. */
  subscribe(listener: (item: FeedItem) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** Open subscriptions. */
  get count(): number {
    return this.listeners.size;
  }
}
