import type { ListSummary } from '../core/list-summary.js';
import type { Reach } from '../core/timeline-reach.js';
import type { EventKind } from '../core/timeline-kinds.js';

/** What the timeline's tools say. */

export const KIND_NAMES = {
  motion: 'Motion',
  snapshot: 'Snapshots',
  scene: 'Camera and light',
} as const satisfies Record<EventKind, string>;

/** "1 event", "12 events". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? `1 ${one}` : `${String(count)} ${many}`;
}

/** What a list is worth as a whole, in one line above it. */
export function summaryWords({ state, events, places }: ListSummary): string {
  if (state === 'intact') return 'All signed by your cameras, nothing missing';
  if (state === 'coming') return 'All signed by your cameras, some records may still arrive';
  const noted = [events > 0 ? counted(events, 'event') : '', places > 0 ? counted(places, 'place') : ''];
  const what = noted.filter((part) => part !== '').join(' and ');
  return `${what} below ${events + places === 1 ? 'has' : 'have'} a note`;
}

/** How the loading of a day ended; null where there is nothing to say. */
export const DAY_ENDS = {
  here: null,
  'nothing-older': null,
  offline:
    'The cloud does not answer, so this day may not be complete here. It loads again once there is a connection.',
  stopped: 'That day is far back. What is here so far does not reach it yet.',
} as const satisfies Record<Reach, string | null>;

/** How the search for the event of an address ended. */
export const EVENT_ENDS = {
  here: 'This event was deleted. It is no longer shown.',
  'nothing-older': 'This event is not in your history: it was deleted, or it is older than what is kept.',
  offline: 'The cloud does not answer, so this event cannot be loaded now.',
  stopped: 'This event is further back than what was searched.',
} as const satisfies Record<Reach, string>;
