/** Times in the viewer's own zone and language. */

const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const minute = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });
const short = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

/** The latest time that JavaScript's calendar holds (ECMA-262, time values). */
const TIME_MAX_MS = 8.64e15;

/** Formats a time; one that no calendar holds is unknown, and breaks nothing. */
function format(formatter: Intl.DateTimeFormat, ms: number): string {
  return Math.abs(ms) <= TIME_MAX_MS ? formatter.format(ms) : 'unknown time';
}

/** Time of day with seconds. */
export function clockTime(ms: number): string {
  return format(clock, ms);
}

/** Time of day without seconds. */
export function minuteTime(ms: number): string {
  return format(minute, ms);
}

/** Date and time in full, with the time zone. */
export function fullTime(ms: number): string {
  return format(full, ms);
}

/** Date and time, short. */
export function shortTime(ms: number): string {
  return format(short, ms);
}

/** Returns the first moment of a time's day, in the viewer's zone. */
export function startOfDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}

/** "Today", "Yesterday", or weekday and date. */
export function dayName(ms: number, nowMs: number): string {
  const days = Math.round((startOfDay(nowMs) - startOfDay(ms)) / 86_400_000);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return format(day, ms);
}

/** "just now", "2 minutes ago", … */
export function ago(ms: number, nowMs: number): string {
  const seconds = Math.round((ms - nowMs) / 1000);
  if (seconds > -10) return 'just now';
  if (seconds > -60) return relative.format(seconds, 'second');
  if (seconds > -3600) return relative.format(Math.round(seconds / 60), 'minute');
  if (seconds > -86_400) return relative.format(Math.round(seconds / 3600), 'hour');
  return relative.format(Math.round(seconds / 86_400), 'day');
}

/** A duration, at least one second. */
export function duration(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 60) return `${String(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${String(minutes)} min ${String(seconds % 60)} s`;
  return `${String(Math.floor(minutes / 60))} h ${String(minutes % 60)} min`;
}

/** A size in B, KiB, MiB or GiB. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${String(bytes)} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  if (bytes < 1024 ** 3) return `${(bytes / 1024 ** 2).toFixed(0)} MiB`;
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
