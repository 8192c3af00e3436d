import { z } from '../schema.js';

const DURATION_MS = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

function quantity(units: Readonly<Record<string, number>>, example: string, min: string, max: string) {
  const read = (text: string): number | undefined => {
    const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim());
    const factor = units[match?.[2] ?? ''];
    return match === null || factor === undefined ? undefined : Math.round(Number(match[1]) * factor);
  };
  const from = read(min) ?? 0;
  const to = read(max) ?? Number.MAX_SAFE_INTEGER;
  const expected = `a text like "${example}" (${Object.keys(units).join(', ')}), from ${min} to ${max}`;
  return z.string({ error: `expected ${expected}` }).transform((text, context): number => {
    const value = read(text);
    if (value === undefined || value < from || value > to) {
      context.addIssue({ code: 'custom', message: `expected ${expected}` });
      return z.NEVER;
    }
    return value;
  });
}

/** A duration as text with a unit; parsed to milliseconds. */
export function duration(min: string, max: string) {
  return quantity(DURATION_MS, '300 s', min, max);
}

/** A size as text with a unit; parsed to bytes. */
export function size(min: string, max: string) {
  return quantity(SIZE_BYTES, '64 MiB', min, max);
}

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number) {
  const expected = `expected a whole number from ${String(min)} to ${String(max)}`;
  return z.int({ error: expected }).min(min, { error: expected }).max(max, { error: expected });
}

/** One of a few words. */
export function choice<const V extends readonly [string, ...string[]]>(...values: V) {
  return z.enum(values, { error: `expected one of ${values.join(', ')}` });
}

/** True or false. */
export const flag = z.boolean({ error: 'expected true or false' });

/** A path; empty for none. */
export const path = z.string({ error: 'expected a path' }).max(4096);

/**
 * A device's path, name or number; empty means "none" or "the first". Never what a program could take for an option.
 */
export const deviceName = z
  .string({ error: 'expected a device' })
  .regex(/^([A-Za-z0-9/\\][A-Za-z0-9/\\_.:@-]{0,255})?$/, { error: 'expected a device like /dev/video0 or gpiochip0' });

/** URL of an MQTT broker. */
export const url = z.string({ error: 'expected a URL' }).refine(
  (text) => {
    try {
      return ['mqtt:', 'mqtts:'].includes(new URL(text).protocol);
    } catch {
      return false;
    }
  },
  { error: 'expected a URL like mqtt://broker.example:1883 or mqtts://broker.example:8883' },
);

/** URL of a web page. */
export const pageUrl = z.url({ error: 'expected a URL like https://app.example/' });

/** An IANA time zone. */
export const timeZone = z.string().refine(
  (name) => {
    try {
      Intl.DateTimeFormat('en', { timeZone: name });
      return true;
    } catch {
      return false;
    }
  },
  { error: 'expected a time zone like Europe/Berlin' },
);

/** Raw 32-byte public keys, as hex. */
export const publicKeys = z.array(
  z.string().regex(/^[0-9a-f]{64}$/, { error: 'expected public keys of 64 lower-case hex digits' }),
);

const fraction = z.number().min(0).max(1);

const polygon = {
  name: z.string().min(1).max(32),
  corners: z
    .array(z.tuple([fraction, fraction]))
    .min(3)
    .max(16),
};

export const masks = z
  .array(z.strictObject(polygon), {
    error: 'expected masks with a name and corners, each corner two numbers from 0 to 1',
  })
  .max(8);

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

/** Days are numbers from 0, Sunday, to 6; times are minutes of the day, `to` excluded. */
export interface ScheduleWindow {
  readonly days: readonly number[];
  readonly fromMinute: number;
  /** Not after `fromMinute`: of the next day. */
  readonly toMinute: number;
}

/** "mon-fri 22:00-06:30": begins on these days, and may end on the next. Without days: on every one. */
export const schedule = z
  .array(
    z.string().transform((text, context): ScheduleWindow => {
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

/** "fri-mon" goes over the week's end. */
function daysOf(range: string): number[] {
  const [first = 0, last = first] = range.split('-').map((day) => DAYS.findIndex((name) => name === day));
  return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, i) => (first + i) % 7);
}
