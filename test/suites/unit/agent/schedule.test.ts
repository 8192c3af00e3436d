import { describe, expect, it } from 'vitest';
import { Schedule, type ScheduleWindow } from '../../../../agent/capture/schedule.js';
import { schedule as schema } from '../../../../agent/config/values.js';
import * as v from '../../../../common/schema.js';
import { seededRandom } from '../../../../common/seeded-random.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const windowsOf = (...texts: readonly string[]): ScheduleWindow[] => v.parse(schema, texts);
const isOn = (zone: string, utc: string, ...texts: readonly string[]): boolean =>
  new Schedule(windowsOf(...texts), zone).includes(Date.parse(utc));

/** Minutes of a UTC day in which the schedule is on. */
function minutesOn(zone: string, day: string, ...texts: readonly string[]): number {
  const schedule = new Schedule(windowsOf(...texts), zone);
  const from = Date.parse(`${day}T00:00:00Z`);
  let on = 0;
  for (let minute = -720; minute < 1440 + 720; minute++) if (schedule.includes(from + minute * MINUTE_MS)) on++;
  return on;
}

describe('windows of a schedule', () => {
  it('are parsed in every usual form', () => {
    expect(windowsOf('mon-fri 22:00-06:30', 'sat,sun 00:00-24:00', 'fri-mon,wed 08:05-08:06', '07:00-19:00')).toEqual([
      { days: [1, 2, 3, 4, 5], fromMinute: 1320, toMinute: 390 },
      { days: [6, 0], fromMinute: 0, toMinute: 1440 },
      { days: [5, 6, 0, 1, 3], fromMinute: 485, toMinute: 486 },
      { days: [0, 1, 2, 3, 4, 5, 6], fromMinute: 420, toMinute: 1140 },
    ]);
  });

  it.each(['', 'mon', '22:00', '24:00-06:00', '22:00-24:30', '22:00-22:00', 'Mon 1:00-2:00', 'mon 10:00 - 11:00'])(
    'are refused: %j',
    (text) => {
      expect(v.safeParse(schema, [text]).success).toBe(false);
    },
  );
});

describe('a schedule', () => {
  // 2026-03-29 and 2026-10-25 are the changes of Berlin, 2026-03-08 and 2026-11-01 of New York, 2026-04-05 and 2026-10-04
  // of Lord Howe, which moves by half an hour. All of them are Sundays.
  it.each([
    [
      'Berlin, the last minute before the clocks skip',
      'Europe/Berlin',
      '2026-03-29T00:59:59Z',
      'sun 01:00-02:00',
      true,
    ],
    ['Berlin, after the skip: three, not two', 'Europe/Berlin', '2026-03-29T01:00:00Z', 'sun 02:00-03:00', false],
    ['Berlin, after the skip: three', 'Europe/Berlin', '2026-03-29T01:00:00Z', 'sun 03:00-03:01', true],
    ['Berlin, half past two the first time', 'Europe/Berlin', '2026-10-25T00:30:00Z', 'sun 02:30-02:31', true],
    ['Berlin, and the second time', 'Europe/Berlin', '2026-10-25T01:30:00Z', 'sun 02:30-02:31', true],
    ['Berlin, over midnight, of the day before', 'Europe/Berlin', '2026-03-29T03:59:00Z', 'sat 22:00-06:00', true],
    ['Berlin, after the end of that window', 'Europe/Berlin', '2026-03-29T04:00:00Z', 'sat 22:00-06:00', false],
    ['Berlin, the day itself begins at 22:00', 'Europe/Berlin', '2026-03-29T03:59:00Z', 'sun 22:00-06:00', false],
    ['New York, skipped', 'America/New_York', '2026-03-08T07:00:00Z', 'sun 02:00-03:00', false],
    ['New York, one the first time', 'America/New_York', '2026-11-01T05:15:00Z', 'sun 01:00-01:30', true],
    ['New York, one the second time', 'America/New_York', '2026-11-01T06:15:00Z', 'sun 01:00-01:30', true],
    [
      'New York is on Saturday when UTC is on Sunday',
      'America/New_York',
      '2026-11-01T03:00:00Z',
      'sat 23:00-24:00',
      true,
    ],
    ['Lord Howe, skipped half an hour', 'Australia/Lord_Howe', '2026-10-03T15:30:00Z', 'sun 02:00-02:30', false],
    ['Lord Howe, after the skip', 'Australia/Lord_Howe', '2026-10-03T15:30:00Z', 'sun 02:30-02:31', true],
    ['Lord Howe, 01:45 the first time', 'Australia/Lord_Howe', '2026-04-04T14:45:00Z', 'sun 01:30-02:00', true],
    ['Lord Howe, and the second time', 'Australia/Lord_Howe', '2026-04-04T15:15:00Z', 'sun 01:30-02:00', true],
    ['Kathmandu, 5:45 ahead', 'Asia/Kathmandu', '2026-07-01T18:14:00Z', 'wed 23:59-24:00', true],
    ['Kathmandu, a minute later it is Thursday', 'Asia/Kathmandu', '2026-07-01T18:15:00Z', 'thu 00:00-00:01', true],
    ['Phoenix, which never changes', 'America/Phoenix', '2026-03-08T09:30:00Z', 'sun 02:30-02:31', true],
    ['UTC', 'UTC', '2026-11-22T23:59:59Z', 'sun 00:00-24:00', true],
  ])('%s', (_, zone, utc, text, expected) => {
    expect(isOn(zone, utc, text)).toBe(expected);
  });

  it.each([
    ['Europe/Berlin', '2026-03-29', 'sun 01:30-03:30', 60],
    ['Europe/Berlin', '2026-10-25', 'sun 01:30-03:30', 180],
    ['Europe/Berlin', '2026-10-25', 'sun 00:00-24:00', 25 * 60],
    ['America/New_York', '2026-03-08', 'sun 00:00-24:00', 23 * 60],
    ['Australia/Lord_Howe', '2026-04-05', 'sun 01:30-02:00', 60],
    ['Australia/Lord_Howe', '2026-10-04', 'sun 02:00-02:30', 0],
    ['Asia/Kathmandu', '2026-10-25', 'sun 00:00-24:00', 24 * 60],
    ['America/Phoenix', '2026-11-01', 'sun 01:30-03:30', 120],
  ])('%s on %s: %s lasts %i minutes', (zone, day, text, minutes) => {
    expect(minutesOn(zone, day, text)).toBe(minutes);
  });

  it('holds each instant whose wall clock lies in a window, and no other', () => {
    const { uniform } = seededRandom(29);
    const below = (most: number): number => Math.floor(uniform() * most);
    const zones = [
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'America/Havana',
      'UTC',
    ];
    for (let round = 0; round < 300; round++) {
      const timeZone = zones[below(zones.length)] ?? 'UTC';
      const windows = Array.from({ length: 1 + below(3) }, (): ScheduleWindow => {
        const fromMinute = below(1440);
        const days = [0, 1, 2, 3, 4, 5, 6].filter(() => uniform() < 0.4);
        return { days, fromMinute, toMinute: (fromMinute + 1 + below(1439)) % 1440 || 1440 };
      });
      const schedule = new Schedule(windows, timeZone);
      const wall = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
      const from = Date.UTC(2026, 0, 1) + below(365) * DAY_MS;
      for (let i = 0; i < 40; i++) {
        const utc = from + below(DAY_MS);
        // The wall clock as a date of its own, without a zone.
        const shown = Date.parse(`${wall.format(utc).replace(' ', 'T')}Z`);
        const expected = windows.some(({ days, fromMinute, toMinute }) =>
          [0, 1].some((daysAgo) => {
            const began = Math.floor(shown / DAY_MS) * DAY_MS - daysAgo * DAY_MS;
            const lengthMinutes = toMinute > fromMinute ? toMinute - fromMinute : toMinute + 1440 - fromMinute;
            const sinceMinutes = (shown - began) / MINUTE_MS - fromMinute;
            return days.includes(new Date(began).getUTCDay()) && sinceMinutes >= 0 && sinceMinutes < lengthMinutes;
          }),
        );
        const about = `${timeZone} ${new Date(utc).toISOString()} ${JSON.stringify(windows)}`;
        expect(schedule.includes(utc), about).toBe(expected);
      }
    }
  });
});
