/** Schemas of settings that only a camera has; those that the cloud shares are in common/config/values.ts. */
import { utf8 } from '../../common/bytes.js';
import { LIMITS } from '../../common/limits.js';
import * as v from '../../common/schema.js';

/** A device's path, name or number; empty for none, or for the first. Never text that a program could take for an option. */
export const deviceName = v.pipe(
  v.string('expected a device'),
  v.regex(/^([A-Za-z0-9/\\][A-Za-z0-9/\\_.:@-]{0,255})?$/, 'expected a device like /dev/video0 or gpiochip0'),
);

/** Address of an IP camera; empty for none. It stands in quotes where ffmpeg reads it, and user and password belong elsewhere. */
export const rtspUrl = v.pipe(
  v.string('expected a URL like rtsp://camera.example/stream1'),
  v.regex(
    /^(rtsp:\/\/[^\s'"\\@]{1,1024})?$/,
    'expected a URL like rtsp://camera.example/stream1, without user name and password: these are in rtsp.credentialsFile',
  ),
);

/** Base address of a server for clips; empty for the broker's host. */
export const uploadUrl = v.pipe(
  v.string('expected a URL like https://clips.example'),
  v.regex(
    /^(https?:\/\/[^\s'"\\@?#]{1,1024})?$/,
    'expected a URL like https://clips.example, without user name, password and parameters',
  ),
);

const fraction = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

const NAME_HINT = `expected a name of 1 to ${String(LIMITS.zoneNameMaxBytes)} bytes of UTF-8 without control characters`;

// eslint-disable-next-line no-control-regex -- control characters are what this finds
const NO_NAME = /^$|^\ufeff|[\u0000-\u001f\u007f]/;

/** As a sealed detail takes it, `text` in protocol/wire/codec.ts: an event in a zone with another name could not be sealed. */
const polygonName = v.pipe(
  v.string(),
  v.check((name) => !NO_NAME.test(name) && utf8(name).length <= LIMITS.zoneNameMaxBytes, NAME_HINT),
);

const polygon = {
  name: polygonName,
  corners: v.pipe(v.array(v.strictTuple([fraction, fraction])), v.minLength(3), v.maxLength(16)),
};

/** Privacy masks: polygons in fractions of the picture. */
export const masks = v.pipe(
  v.array(v.strictObject(polygon), 'expected masks with a name and corners, each corner two numbers from 0 to 1'),
  v.maxLength(8),
);

/** Zones in which motion counts: polygons in fractions of the picture, with a least size in per cent of it. */
export const zones = v.pipe(
  v.array(
    v.strictObject({ ...polygon, minArea: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100))) }),
    'expected zones with a name and corners, each corner two numbers from 0 to 1, and perhaps minArea',
  ),
  v.maxLength(8),
);

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
export const schedule = v.pipe(
  v.array(
    v.pipe(v.string(), v.readAs(windowOf, 'expected windows like "mon-fri 22:00-06:30" or "00:00-24:00"')),
    'expected windows like "mon-fri 22:00-06:30"',
  ),
  v.maxLength(32),
);

/** Returns the window, its days numbered from Sunday as 0; undefined for a text that is not one. */
function windowOf(text: string) {
  const [, days, ...times] = WINDOW.exec(text) ?? [];
  const [fromHour, fromMinute, toHour, toMinute, midnight] = times.map((part) => Number(part));
  const minutes = (hour = NaN, minute = NaN): number => hour * 60 + minute;
  const window = {
    days: days === undefined ? DAYS.map((_, i) => i) : days.split(',').flatMap(daysOf),
    fromMinute: minutes(fromHour, fromMinute),
    toMinute: midnight === 24 ? minutes(24, 0) : minutes(toHour, toMinute),
  };
  return Number.isNaN(window.fromMinute) || window.fromMinute === window.toMinute ? undefined : window;
}

/** Returns the days of a range as numbers; "fri-mon" crosses the end of the week. */
function daysOf(range: string): number[] {
  const [first = 0, last = first] = range.split('-').map((day) => DAYS.findIndex((name) => name === day));
  return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, i) => (first + i) % 7);
}
