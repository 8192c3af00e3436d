import type { EventFilter } from './page-address.js';
import type { TimelineEvent } from './timeline.js';

/** What a filter asks about an event besides what its records say. */
export interface FilterKnowledge {
  readonly isReviewed: (key: string) => boolean;
  /** Returns the zones that the sealed picture names; null while it was not opened. */
  readonly zonesOf: (key: string) => readonly string[] | null;
}

/** Returns whether a filter leaves anything out. */
export function isFiltering({ camera, kind, zone, isUnreviewed }: EventFilter): boolean {
  return camera !== null || kind !== null || zone !== null || isUnreviewed;
}

/** Returns whether a filter shows an event. One whose zones are not known yet is not shown by a zone. */
export function isShownBy(filter: EventFilter, event: TimelineEvent, known: FilterKnowledge): boolean {
  const { camera, kind, zone, isUnreviewed } = filter;
  if (camera !== null && event.device !== camera) return false;
  if (kind !== null && event.kind !== kind) return false;
  if (isUnreviewed && known.isReviewed(event.key)) return false;
  return zone === null || known.zonesOf(event.key)?.includes(zone) === true;
}
