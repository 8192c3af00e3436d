/** Schemas of settings that only a camera has; those that the cloud shares are in common/config/values.ts. */
import { z } from '../../common/schema.js';

/** A device's path, name or number; empty for none, or for the first. Never text that a program could take for an option. */
export const deviceName = z
  .string({ error: 'expected a device' })
  .regex(/^([A-Za-z0-9/\\][A-Za-z0-9/\\_.:@-]{0,255})?$/, { error: 'expected a device like /dev/video0 or gpiochip0' });

const fraction = z.number().min(0).max(1);

const polygon = {
  name: z.string().min(1).max(32),
  corners: z
    .array(z.tuple([fraction, fraction]))
    .min(3)
    .max(16),
};

/** Privacy masks: polygons in fractions of the picture. */
export const masks = z
  .array(z.strictObject(polygon), {
    error: 'expected masks with a name and corners, each corner two numbers from 0 to 1',
  })
  .max(8);

/** Zones in which motion counts: polygons in fractions of the picture, with a least size in per cent of it. */
export const zones = z
  .array(z.strictObject({ ...polygon, minArea: z.number().min(0).max(100).optional() }), {
    error: 'expected zones with a name and corners, each corner two numbers from 0 to 1, and perhaps minArea',
  })
  .max(8);

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const DAY = `(?:${DAYS.join('|')})`;
const DAY_RANGES = String.raw`${DAY}(?:-${DAY})?(?:,${DAY}(?:-${DAY})?)*`;
const WINDOW = new RegExp(
  String.raw`^(?:(${DAY_RANGES}) )?([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24):00)$`,
);

/**
 * Windows of a schedule, for `Schedule`: "mon-fri 22:00-06:30" starts on these days and may end on the next one. Without
 * days it starts on every day.
 */
export const schedule = z
  .array(
    z.string().transform((text, context) => {
      const [, days, ...times] = WINDOW.exec(text) ?? [];
      const [fromHour, fromMinute, toHour, toMinute, midnight] = times.map((part) => Number(part));
      const minutes = (hour = NaN, minute = NaN): number => hour * 60 + minute;
      const window = {
        days: days === undefined ? DAYS.map((_, i) => i) : days.split(',').flatMap(daysOf),
        fromMinute: minutes(fromHour, fromMinute),
        toMinute: midnight === 24 ? minutes(24, 0) : minutes(toHour, toMinute),
      };
      if (Number.isNaN(window.fromMinute) || window.fromMinute === window.toMinute) {
        context.addIssue({ code: 'custom', message: 'expected windows like "mon-fri 22:00-06:30" or "00:00-24:00"' });
        return z.NEVER;
      }
      return window;
    }),
    { error: 'expected windows like "mon-fri 22:00-06:30"' },
  )
  .max(32);

/** Returns the days of a range as numbers; "fri-mon" crosses the end of the week. */
function daysOf(range: string): number[] {
  const [first = 0, last = first] = range.split('-').map((day) => DAYS.findIndex((name) => name === day));
  return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, i) => (first + i) % 7);
}
