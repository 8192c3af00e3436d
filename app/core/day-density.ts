import { sortMs, type TimelineEvent } from './timeline.js';

export const HOURS = 24;

/** How many events began in each hour of the day, by the clock on the viewer's wall: a day of a time change still has 24. */
export function densityOf(events: readonly Pick<TimelineEvent, 'startedAtMs' | 'receivedAtMs'>[]): readonly number[] {
  const counts = new Array<number>(HOURS).fill(0);
  for (const event of events) {
    const hour = new Date(sortMs(event)).getHours();
    counts[hour] = (counts[hour] ?? 0) + 1;
  }
  return counts;
}

/** Returns the hour with the most events; null for a day without any. */
export function busiestHour(counts: readonly number[]): number | null {
  const most = Math.max(0, ...counts);
  return most === 0 ? null : counts.indexOf(most);
}

/** Returns the minute of the day of a time, from 0 to 1439, by the clock on the viewer's wall. */
export function minuteOfDay(ms: number): number {
  const at = new Date(ms);
  return at.getHours() * 60 + at.getMinutes();
}

/** Returns the time of a minute of a day, UTC. `dayStartMs` is the day's first moment. */
export function timeOfMinute(dayStartMs: number, minute: number): number {
  return new Date(dayStartMs).setHours(0, minute, 0, 0);
}
