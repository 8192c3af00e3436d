import type { HistoryMark } from '../core/camera-log.js';
import type { MergedList } from '../core/merged-list.js';
import { sortMs, type TimelineEvent } from '../core/timeline.js';
import { dayName, startOfDay } from './format.js';

/** One row of the list: an event, a place without a record, or the end of the visit before this one. */
export type Item =
  | { readonly type: 'event'; readonly atMs: number; readonly event: TimelineEvent }
  | { readonly type: 'mark'; readonly atMs: number; readonly mark: HistoryMark }
  | { readonly type: 'visit'; readonly atMs: number };

export interface Day {
  /** "Today", "Yesterday", or weekday and date. */
  readonly name: string;
  /** The day's first moment, UTC. */
  readonly startMs: number;
  readonly items: Item[];
}

/** Below an event before which something is missing stands its mark, and below the new ones the line of the last visit. */
const ORDER: readonly Item['type'][] = ['event', 'visit', 'mark'];

/** Returns the first events with what stands between them, newest first. `visitMs` is the end of the visit before this one. */
export function rowsOf({ events, marks, hasOlder }: MergedList, limit: number, visitMs: number | null): Item[] {
  const shown = events.slice(0, limit);
  const [first] = shown;
  const last = shown.at(-1);
  const isWhole = shown.length === events.length && !hasOlder;
  const fromMs = isWhole || last === undefined ? -Infinity : sortMs(last);
  const items: Item[] = shown.map((event) => ({ type: 'event', atMs: sortMs(event), event }));
  for (const mark of marks) if (mark.atMs >= fromMs) items.push({ type: 'mark', atMs: mark.atMs, mark });
  const isBetween =
    visitMs !== null && first !== undefined && last !== undefined && sortMs(first) > visitMs && sortMs(last) <= visitMs;
  if (isBetween) items.push({ type: 'visit', atMs: visitMs });
  return items.sort((a, b) => b.atMs - a.atMs || ORDER.indexOf(a.type) - ORDER.indexOf(b.type));
}

/** Splits rows by the viewer's days, newest first. */
export function byDay(items: readonly Item[], nowMs: number): readonly Day[] {
  const days: Day[] = [];
  let startMs = Infinity;
  for (const item of items) {
    const last = days.at(-1);
    // Newest first: what is not before the day's first moment is of the same day.
    if (last !== undefined && item.atMs >= startMs) {
      last.items.push(item);
      continue;
    }
    startMs = startOfDay(item.atMs);
    const name = dayName(item.atMs, nowMs);
    if (last?.name === name) last.items.push(item);
    else days.push({ name, startMs, items: [item] });
  }
  return days;
}
