/** Something new that open streams may have to show. It names a place; who may see it is asked of the store. */
export type FeedItem =
  | { readonly type: 'record'; readonly device: Uint8Array; readonly epoch: number; readonly seq: number }
  | { readonly type: 'camera'; readonly device: Uint8Array };

/** From ingest to the open streams of this process. */
export class Feed {
  private readonly listeners = new Set<(item: FeedItem) => void>();

  publish(item: FeedItem): void {
    for (const listener of [...this.listeners]) listener(item);
  }

  subscribe(listener: (item: FeedItem) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  get count(): number {
    return this.listeners.size;
  }
}
