/** Days are numbers from 0, Sunday, to 6; times are minutes of the day, `toMinute` excluded. */
export interface ScheduleWindow {
  readonly days: readonly number[];
  readonly fromMinute: number;
  /** Where it is not after `fromMinute`, it is a minute of the next day. */
  readonly toMinute: number;
}

const MINUTE_MS = 60_000;
const DAYS_OF_WEEK = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/**
 * Decides when motion raises events. A window holds the instants at which the wall clock of the camera's zone shows a time
 * inside it: an hour that the clock skips is in no window, one that it repeats is in its window twice.
 */
export class Schedule {
  private readonly windows: readonly ScheduleWindow[];
  private readonly format: Intl.DateTimeFormat;
  private minute = NaN;
  private isOn = true;

  constructor(windows: readonly ScheduleWindow[], timeZone: string) {
    this.windows = windows;
    const fields = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    this.format = new Intl.DateTimeFormat('en', { ...fields, timeZone });
  }

  /** Reports whether events are raised at this time. It is called for every frame with motion, and computed once a minute. */
  includes(wallMs: number): boolean {
    const minute = Math.floor(wallMs / MINUTE_MS);
    if (minute !== this.minute) {
      this.minute = minute;
      this.isOn = this.covers(wallMs);
    }
    return this.isOn;
  }

  private covers(wallMs: number): boolean {
    const parts = new Map(this.format.formatToParts(wallMs).map(({ type, value }) => [type, value]));
    const day = DAYS_OF_WEEK.indexOf(parts.get('weekday') ?? '');
    const minute = Number(parts.get('hour')) * 60 + Number(parts.get('minute'));
    return this.windows.some(({ days, fromMinute, toMinute }) => {
      if (fromMinute < toMinute) return days.includes(day) && minute >= fromMinute && minute < toMinute;
      const dayBefore = (day + 6) % 7;
      return (days.includes(day) && minute >= fromMinute) || (days.includes(dayBefore) && minute < toMinute);
    });
  }
}
