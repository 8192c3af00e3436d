import { toHex } from '../../common/bytes.js';
import { epochKey } from '../../protocol/objects/ids.js';
import type { SealedContent } from '../../protocol/seal/content.js';
import type { EventPicture } from './timeline.js';

/** Events whose zones are kept: about a megabyte. */
export const ZONES_SEEN_MAX = 20_000;

/** The zones that opened pictures name. Only the household can know them, and the page only of what it opened. */
export class ZonesSeen {
  private readonly zones = new Map<string, readonly string[]>();
  private readonly listeners = new Set<() => void>();

  /** Notes what an opened picture says. */
  note({ device, epoch, eventId }: EventPicture, { detail }: SealedContent): void {
    const key = `${epochKey(device, epoch)}/${toHex(eventId)}`;
    const before = this.zones.get(key);
    // A later picture of the same event may name further zones.
    this.zones.set(key, [...new Set([...(before ?? []), ...(detail.zones ?? [])])]);
    if (this.zones.size > ZONES_SEEN_MAX) this.zones.delete(this.zones.keys().next().value ?? '');
    for (const listener of [...this.listeners]) listener();
  }

  /** Returns the zones of an event; null while its picture was not opened. */
  of(key: string): readonly string[] | null {
    return this.zones.get(key) ?? null;
  }

  /** Returns every name that a picture told, in alphabetical order. */
  names(): readonly string[] {
    return [...new Set([...this.zones.values()].flat())].sort((a, b) => a.localeCompare(b));
  }

  /** Calls `listener` after every change. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }
}
